// A pair whose ends don't agree on compression: what is forwarded, and its credit.
#include "actors/connection.hpp"
#include "support/recoding_stage.hpp"

#include <random>

using namespace tandem;
using namespace tandem::test;

TEST_CASE("ends that agree have their messages passed on as they are", "[connection][deflate]") {
  // What is forwarded is no frame, let alone DEFLATE.
  const auto agreed = GENERATE(as<net::deflate_params>{}, off, full);
  recoding_stage s{agreed, agreed};
  CHECK(s.link.allowance == window);
  s.receive("as it is");
  CHECK(text_of(s.peer.take<atom::forward, net::chunk>()) == "as it is");
}

TEST_CASE("messages are inflated for a peer that takes none compressed", "[connection][deflate]") {
  recoding_stage s;
  s.receive_compressed("one");
  s.receive_compressed("two, as one");
  s.take_all();
  CHECK(s.seen.messages == plain({"one", "two, as one"}));
}

TEST_CASE("messages are deflated for a peer that takes them compressed", "[connection][deflate]") {
  recoding_stage s{off, full};
  const std::string text(1000, 'x');
  s.receive(net::frame_of({wire::text, false, text}));
  s.take_all();
  REQUIRE(s.seen.messages.size() == 1);
  CHECK(s.seen.messages[0].compressed);
  CHECK(wire::message_inflater{}(s.seen.messages[0].payload) == text);
}

TEST_CASE("each direction goes by what its sender sends and its receiver takes",
          "[connection][deflate]") {
  // The peer reads 10 bits. It sends with 15, which isn't this connection's business.
  recoding_stage s{{true, 12, 9, true, true}, {true, 15, 10, true, true}};
  const std::string text(1000, 'x');
  s.receive_compressed(text);
  s.take_all();
  REQUIRE(s.seen.messages.size() == 1);
  CHECK(wire::message_inflater{10}(s.seen.messages[0].payload) == text);

  recoding_stage other{{true, 10, 9, true, true}, {true, 15, 10, true, true}};
  other.receive("as it is");
  CHECK(text_of(other.peer.take<atom::forward, net::chunk>()) == "as it is");
}

TEST_CASE("early messages are recoded at the binding", "[connection][deflate]") {
  recoding_stage s{full, off, true};
  s.tell(s.peer, atom::peer_end::value, uint64_t{8}, ending::by(end_reason::vanished));
  CHECK(s.link.allowance == pending);
  s.receive_compressed("early");
  s.receive_compressed("and later");
  probe next{s.w};
  s.bind(9, next);
  s.take_forwarded(next);
  CHECK(s.seen.messages == plain({"early", "and later"}));
  CHECK(s.link.allowance == window / 2);
}

TEST_CASE("a next peer may take what the former one didn't", "[connection][deflate]") {
  constexpr net::deflate_params no_context{true, 15, 15, false, false};
  recoding_stage s{no_context, off, true};
  s.receive_compressed("for the first");
  s.take_all();
  s.tell(s.peer, atom::peer_end::value, uint64_t{8}, ending::by(end_reason::vanished));
  probe next{s.w};
  s.bind(9, next, no_context);
  CHECK(s.link.allowance == window);
  s.receive("as it is");
  CHECK(text_of(next.take<atom::forward, net::chunk>()) == "as it is");
  s.tell(next, atom::peer_end::value, uint64_t{9}, ending::by(end_reason::vanished));
  probe third{s.w};
  s.bind(10, third);
  wire::message_deflater compress;
  s.receive(net::frame_of({wire::binary, true, compress("for the third")}));
  s.take_forwarded(third);
  CHECK(s.seen.messages == plain({"for the first", "for the third"}));
}

// -- credit ---------------------------------------------------------------------------------------

TEST_CASE("a bomb comes piece by piece, as the peer takes it", "[connection][deflate]") {
  recoding_stage s;
  const std::string text(200'000, 'x');
  s.receive_compressed(text);
  int64_t unsettled = s.take_forwarded();
  while (!s.seen.messages.size()) {
    CHECK(unsettled >= window / 2);
    CHECK(unsettled <= most_unsettled);
    // Nothing comes unasked.
    s.w.settle();
    REQUIRE(s.peer.empty());
    s.credit(unsettled);
    unsettled = s.take_forwarded();
  }
  CHECK(s.seen.messages == plain({text}));
}

TEST_CASE("a long recoding lets others have their turn", "[connection][deflate]") {
  recoding_stage s;
  s.options->window = 1 << 20;
  s.link.receive(chunk_of(s.compressed(std::string(100'000, 'x'))));
  // Not all in one go: what is left is still held.
  CHECK(s.link.allowance < window / 2);
  s.w.settle();
  CHECK(s.link.allowance == window / 2);
  s.take_forwarded();
  CHECK(s.seen.messages.size() == 1);
}

TEST_CASE("what waits to be recoded is off the allowance until it is used up",
          "[connection][deflate]") {
  recoding_stage s;
  CHECK(s.link.allowance == window / 2);
  s.receive_compressed(std::string(100'000, 'x'));
  const auto waits = chunk_of(s.compressed("more"));
  s.link.receive(waits);
  s.w.settle();
  CHECK(s.link.allowance < window / 2 - static_cast<int64_t>(waits.cost()));
  s.take_all();
  CHECK(s.link.allowance == window / 2);
  CHECK(s.seen.messages.size() == 2);
}

TEST_CASE("credit is for what was recoded, not for what was read", "[connection][deflate]") {
  recoding_stage s;
  s.receive_compressed("small");
  CHECK(s.link.allowance == window / 2);
  s.credit(s.take_forwarded());
  CHECK(s.link.allowance == window / 2);
}

TEST_CASE("whatever comes and is taken, in whatever order, the books hold",
          "[connection][deflate]") {
  for (unsigned seed = 0; seed < 40; ++seed) {
    CAPTURE(seed);
    std::minstd_rand random{seed};
    auto below = [&](size_t n) { return random() % n; };
    const auto own = below(2) == 0 ? off : net::deflate_params{true, 15, 15, false, true};
    const auto takes = own.agreed ? net::deflate_params{below(2) == 0, 15, 9, true, true} : full;
    recoding_stage s{own, takes};
    wire::message_deflater compress{15, false};
    std::vector<std::string> sent;
    int64_t unsettled = 0;
    auto step = [&] {
      unsettled += s.take_forwarded();
      CHECK(unsettled <= most_unsettled);
      CHECK(s.link.allowance <= window / 2);
    };
    for (int i = 0; i < 60; ++i) {
      if (s.link.allowance > 0 && below(2) == 0) {
        std::string text(below(below(3) == 0 ? 20'000 : 600), '\0');
        for (auto& c : text)
          c = static_cast<char>(below(6));
        // No longer than the allowance, as a session cuts it.
        auto payload = own.agreed ? compress(text) : text;
        auto most = static_cast<size_t>(s.link.allowance);
        if (payload.size() > most) {
          payload.resize(most);
          if (own.agreed)
            continue;
          text = payload;
        }
        sent.push_back(text);
        s.receive(net::frame_of({wire::binary, own.agreed, payload}));
      } else if (unsettled > 0) {
        auto cost = 1 + static_cast<int64_t>(below(static_cast<size_t>(unsettled)));
        unsettled -= cost;
        s.credit(cost);
      }
      step();
    }
    if (unsettled > 0)
      s.credit(unsettled);
    s.take_all();
    CHECK(s.link.allowance == window / 2);
    REQUIRE(s.seen.messages.size() == sent.size());
    wire::message_inflater inflate{takes.server_window_bits};
    for (size_t i = 0; i < sent.size(); ++i) {
      const auto& x = s.seen.messages[i];
      CHECK((x.compressed ? inflate(x.payload) : x.payload) == sent[i]);
    }
  }
}
