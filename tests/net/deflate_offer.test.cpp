// The negotiation of RFC 7692, sections 5 and 7.1, and the header's grammar of RFC 6455,
// section 9.1.
#include "net/deflate_offer.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace tandem::net;

namespace {

constexpr deflate_policy wide{.max_window_bits = 15, .keeps_context = true};

deflate_answer answer_to(std::string_view header, const deflate_policy& policy = wide) {
  auto offers = parse_extensions(header);
  REQUIRE(offers);
  return choose_deflate(*offers, policy);
}

/// The header of the answer, which has to agree with its parameters.
std::string header_for(std::string_view offer, const deflate_policy& policy = wide) {
  auto [params, header] = answer_to(offer, policy);
  CHECK(params.agreed == !header.empty());
  if (!params.agreed)
    return header;
  auto said = [&](std::string_view what) { return header.find(what) != std::string::npos; };
  CHECK(params.server_keeps_context == !said("server_no_context_takeover"));
  CHECK(params.client_keeps_context == !said("client_no_context_takeover"));
  auto bits = [](std::string name, int n) { return name + "=" + std::to_string(n); };
  CHECK((said(bits("server_max_window_bits", params.server_window_bits)) ||
         (params.server_window_bits == 15 && !said("server_max_window_bits"))));
  CHECK((said(bits("client_max_window_bits", params.client_window_bits)) ||
         (params.client_window_bits == 15 && !said("client_max_window_bits"))));
  return header;
}

constexpr auto plain = "permessage-deflate";
constexpr auto declined = "";

} // namespace

TEST_CASE("the header's grammar is read", "[deflate]") {
  auto offers = parse_extensions(" foo ; a ; b = 1;c=\"x\\y\" ,, bar,\tpermessage-deflate;d ,");
  REQUIRE(offers);
  REQUIRE(offers->size() == 3);
  const auto& foo = offers->at(0);
  CHECK(foo.name == "foo");
  REQUIRE(foo.parameters.size() == 3);
  CHECK(foo.parameters[0].name == "a");
  CHECK_FALSE(foo.parameters[0].value);
  CHECK(foo.parameters[1].value == "1");
  CHECK(foo.parameters[2].value == "xy");
  CHECK(offers->at(1).name == "bar");
  CHECK(offers->at(1).parameters.empty());
  CHECK(offers->at(2).name == "permessage-deflate");
  CHECK(offers->at(2).parameters.at(0).name == "d");
  CHECK(parse_extensions("")->empty());
  CHECK(parse_extensions(" , ,")->empty());
}

TEST_CASE("a header that breaks the grammar is none", "[deflate]") {
  auto header =
      GENERATE(as<std::string>{}, ";", "=", "\"", "foo;", "foo;;a", "foo; =1", "foo;a=", "foo;a=;b",
               "foo;a=\"", "foo;a=\"\"", "foo;a=\"x", "foo;a=\"x y\"", "foo;a=\"x\"y",
               "foo;a=\"\\\"", "foo bar", "foo, bar baz", "foo;a b", "foo;a=1 2", "foo/1",
               "foo;a=(", "f\xC3\xBC", "foo;a=\"1,2\"", "foo;a==1");
  CAPTURE(header);
  CHECK_FALSE(parse_extensions(header));
}

TEST_CASE("an offer is answered by what it asks for", "[deflate]") {
  const auto [offer, answer] = GENERATE(table<std::string, std::string>({
      // Section 7.1: the plain offer, in any case of letters.
      {"permessage-deflate", plain},
      {"Permessage-Deflate", plain},
      // 7.1.1.1: a server that accepts it has to name it.
      {"permessage-deflate; server_no_context_takeover",
       "permessage-deflate; server_no_context_takeover"},
      // 7.1.1.2: a hint, which is taken.
      {"permessage-deflate; client_no_context_takeover",
       "permessage-deflate; client_no_context_takeover"},
      // 7.1.2.1: named with the same or a smaller value, even at the largest.
      {"permessage-deflate; server_max_window_bits=9",
       "permessage-deflate; server_max_window_bits=9"},
      {"permessage-deflate; server_max_window_bits=15",
       "permessage-deflate; server_max_window_bits=15"},
      {"permessage-deflate; server_max_window_bits=\"10\"",
       "permessage-deflate; server_max_window_bits=10"},
      // zlib can't deflate with such a window.
      {"permessage-deflate; server_max_window_bits=8", declined},
      // 7.1.2.2: with a value, and without.
      {"permessage-deflate; client_max_window_bits",
       "permessage-deflate; client_max_window_bits=15"},
      {"permessage-deflate; client_max_window_bits=8",
       "permessage-deflate; client_max_window_bits=8"},
      {"permessage-deflate; client_max_window_bits=12",
       "permessage-deflate; client_max_window_bits=12"},
      {"permessage-deflate; Client_Max_Window_Bits = 10 ;server_max_window_bits=11;"
       "client_no_context_takeover;server_no_context_takeover",
       "permessage-deflate; server_no_context_takeover; client_no_context_takeover; "
       "server_max_window_bits=11; client_max_window_bits=10"},
      // Section 5.1: no extension, or others alone.
      {"", declined},
      {"foo", declined},
      {"permessage-foo; server_max_window_bits=10, x-webkit-deflate-frame", declined},
  }));
  CAPTURE(offer);
  CHECK(header_for(offer) == answer);
}

TEST_CASE("an offer that section 7 doesn't know is declined", "[deflate]") {
  auto offer = GENERATE(
      as<std::string>{},
      // Unknown.
      "foo", "foo=1", "mem_level=9",
      // Twice.
      "server_no_context_takeover; server_no_context_takeover",
      "client_no_context_takeover; client_no_context_takeover",
      "server_max_window_bits=10; server_max_window_bits=10",
      "client_max_window_bits; client_max_window_bits=10",
      "client_max_window_bits=9; server_max_window_bits=9; client_max_window_bits=9",
      // With a value that it doesn't have, or without one that it has.
      "server_no_context_takeover=1", "client_no_context_takeover=true", "server_max_window_bits",
      "server_max_window_bits=7", "server_max_window_bits=16", "server_max_window_bits=0",
      "server_max_window_bits=08", "server_max_window_bits=010", "server_max_window_bits=+9",
      "server_max_window_bits=9.0", "server_max_window_bits=x", "server_max_window_bits=1a",
      "server_max_window_bits=-9", "server_max_window_bits=100", "client_max_window_bits=7",
      "client_max_window_bits=16", "client_max_window_bits=09", "client_max_window_bits=x",
      "client_max_window_bits=4294967304");
  CAPTURE(offer);
  CHECK(header_for("permessage-deflate; " + offer) == declined);
  CHECK(header_for("permessage-deflate; client_max_window_bits; " + offer) == declined);
  // The next one has its turn.
  CHECK(header_for("permessage-deflate; " + offer + ", permessage-deflate") == plain);
}

TEST_CASE("the first offer that can be accepted is", "[deflate]") {
  CHECK(header_for("foo, permessage-deflate; server_max_window_bits=8, bar; x=1, "
                   "permessage-deflate; server_max_window_bits=11, permessage-deflate") ==
        "permessage-deflate; server_max_window_bits=11");
}

TEST_CASE("the policy narrows what a peer sends, where its offer allows that", "[deflate]") {
  const deflate_policy narrow{.max_window_bits = 10, .keeps_context = true};
  CHECK(header_for("permessage-deflate; client_max_window_bits", narrow) ==
        "permessage-deflate; client_max_window_bits=10");
  CHECK(header_for("permessage-deflate; client_max_window_bits=12", narrow) ==
        "permessage-deflate; client_max_window_bits=10");
  CHECK(header_for("permessage-deflate; client_max_window_bits=9", narrow) ==
        "permessage-deflate; client_max_window_bits=9");
  // 7.1.2.2: without the parameter in the offer a server may not ask for it.
  CHECK(header_for("permessage-deflate", narrow) == plain);
  // What the broker sends isn't narrowed: others' messages are to pass through.
  CHECK(header_for("permessage-deflate; server_max_window_bits=14", narrow) ==
        "permessage-deflate; server_max_window_bits=14");
}

TEST_CASE("without context neither side keeps one, asked or not", "[deflate]") {
  const deflate_policy none{.max_window_bits = 15, .keeps_context = false};
  const auto both = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
  CHECK(header_for("permessage-deflate", none) == both);
  CHECK(header_for("permessage-deflate; client_no_context_takeover", none) == both);
}

TEST_CASE("what passes through is what the other end can inflate", "[deflate]") {
  const deflate_params off{};
  const deflate_params full{.agreed = true};
  CHECK(passes_through(off, off));
  CHECK(passes_through(full, full));
  CHECK_FALSE(passes_through(off, full));
  CHECK_FALSE(passes_through(full, off));
  for (uint8_t from = 8; from <= 15; ++from)
    for (uint8_t to = 8; to <= 15; ++to)
      for (auto [sends, takes] :
           {std::pair{false, false}, {false, true}, {true, false}, {true, true}}) {
        CAPTURE(+from, +to, sends, takes);
        // What the other direction was agreed on doesn't matter.
        const deflate_params sender{true, from, 9, sends, !takes};
        const deflate_params receiver{true, 9, to, !sends, takes};
        CHECK(passes_through(sender, receiver) == (from <= to && (takes || !sends)));
      }
}

TEST_CASE("a log shows what was agreed on", "[deflate]") {
  CHECK(to_string(deflate_params{}) == "off");
  CHECK(to_string(deflate_params{true, 12, 15, true, false}) == "in:12,out:15/no-context");
}
