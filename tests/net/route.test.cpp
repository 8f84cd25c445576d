#include "net/route.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <string_view>
#include <vector>

using namespace tandem;
using namespace tandem::net;

namespace {

const route usual{"/client/{key}", "/worker/{key}"};

/// "client KEY", "worker KEY" or the name of the refusal and its detail.
std::string judge(std::string_view target, const route& where = usual) {
  auto result = match_target(target, {&where, 1});
  if (const auto* match = std::get_if<route_match>(&result))
    return to_string(match->side) + " " + match->key;
  const auto& fault = std::get<route_fault>(result);
  return std::string{describe(fault.why).name} + ": " + fault.detail;
}

} // namespace

TEST_CASE("a target names its side and key") {
  struct row {
    std::string_view target;
    std::string_view expected;
  };
  auto [target, expected] = GENERATE(values<row>({
      {"/client/alpha", "client alpha"},
      {"/worker/alpha", "worker alpha"},
      {"/client/alpha?token=x&a=/../b", "client alpha"},
      {"/client/alpha?", "client alpha"},
      {"/client/{key}", "client {key}"},
      {"/client/a-b_c.d~e!$&'()*+,;=:@", "client a-b_c.d~e!$&'()*+,;=:@"},
      {"/client/...", "client ..."},
      {"/client/.hidden", "client .hidden"},
      {"/client/caf%C3%A9", "client caf\xC3\xA9"},
      {"/client/caf\xC3\xA9", "client caf\xC3\xA9"},
      {"/client/a%2Fb", "client a/b"},
      {"/client/a%2fb", "client a/b"},
      {"/client/a%3Fb%23c%25d", "client a?b#c%d"},
      {"/client/%41%42", "client AB"},
      {"/client/100%25", "client 100%"},
      {"/client/a%20b", "client a b"},
      // Decoded once.
      {"/client/%252e%252e", "client %2e%2e"},
      {"http://host/client/a", "client a"},
      {"http://host:8080/client/a?x", "client a"},
      {"HTTPS://[::1]:1/worker/a", "worker a"},
      {"ws://host/worker/a", "worker a"},
      {"wss://other.example/client/a", "client a"},
  }));
  CHECK(judge(target) == expected);
}

TEST_CASE("a target that fits no route is told where the routes are") {
  auto target =
      GENERATE(as<std::string_view>{}, "/", "//", "/client", "/clients/a", "/Client/a",
               "/client/a/b", "/client/a/", "/x/client/a", "/health", "/?/client/a", "//client/a",
               "/%63lient/a", "http://host", "http://host?x", "http://host/clients/a");
  CAPTURE(target);
  CHECK(judge(target) == "unknown_route: no route here; clients connect to /client/{key} and "
                         "workers to /worker/{key}");
}

TEST_CASE("a target that is malformed is a bad request") {
  using namespace std::string_view_literals;
  struct row {
    std::string_view target;
    std::string_view detail;
  };
  constexpr auto no_slash = "the target doesn't begin with a slash"sv;
  constexpr auto unencoded = "the target has a character that has to be percent-encoded"sv;
  constexpr auto dots = "the target has a segment of dots"sv;
  constexpr auto percent = "the target has a percent sign without two hexadecimal digits"sv;
  auto [target, detail] = GENERATE_REF(values<row>({
      {"", no_slash},
      {"?", no_slash},
      {"*", no_slash},
      {"client/a", no_slash},
      {"host:80", no_slash},
      {"mailto:/client/a", no_slash},
      {"ftp://host/client/a", "the target's scheme is none of http, https, ws and wss"},
      {"://host/client/a", "the target's scheme is none of http, https, ws and wss"},
      {"http:///client/a", "the target names no host"},
      {"http://", "the target names no host"},
      {"http://?/client/a", "the target names no host"},
      {"http://me:secret@host/client/a", "the target has a user's name before its host"},
      {"http://host/client/../worker/a", dots},
      {"/client/a b", unencoded},
      {"/client/a#b", unencoded},
      {"/client/a\tb", unencoded},
      {"/client/a\x7F", unencoded},
      {"/client/a\0b"sv, unencoded},
      {"/client/..", dots},
      {"/client/.", dots},
      {"/client/../worker/a", dots},
      {"/./client/a", dots},
      {"/nowhere/..", dots},
      {"/client/%2e%2e", dots},
      {"/client/%2E", dots},
      {"/client/.%2e/worker/a", dots},
      {"/client/..%2f..%2fetc%2fpasswd", dots},
      {"/client/a%2F..%2Fb", dots},
      {"/client/a%2f..", dots},
      {"/client/..%5cb", dots},
      {"/client/a%5C..", dots},
      {"/client/a\\..\\b", dots},
      {"/client/%", percent},
      {"/client/%4", percent},
      {"/client/a%zz", percent},
      {"/client/%4z", percent},
      {"/client/%+1", percent},
      {"/client/%-1", percent},
      {"/client/%0x41", percent},
      {"/client/a%", percent},
      {"/client/", "the key is empty"},
      {"/client/?a", "the key is empty"},
      {"/client/%00", "the key has a control character"},
      {"/client/a%0Ab", "the key has a control character"},
      {"/client/%7F", "the key has a control character"},
      {"/client/%1b[31m", "the key has a control character"},
      {"/client/%ff", "the key isn't UTF-8"},
      {"/client/a\xC3", "the key isn't UTF-8"},
      {"/client/%c0%ae%c0%ae", "the key isn't UTF-8"},
  }));
  CAPTURE(target);
  CHECK(judge(target) == "bad_request: " + std::string{detail});
}

TEST_CASE("a key has at most 255 bytes once its percent-encoding is undone") {
  const std::string longest(max_key_size, 'k');
  CHECK(judge("/client/" + longest) == "client " + longest);
  CHECK(judge("/client/" + longest + "k") == "bad_request: the key is longer than 255 bytes");

  std::string encoded;
  for (size_t i = 0; i < max_key_size; ++i)
    encoded += "%6B";
  CHECK(judge("/client/" + encoded) == "client " + longest);
  CHECK(judge("/client/" + encoded + "%6B") == "bad_request: the key is longer than 255 bytes");
}

TEST_CASE("the key may stand anywhere in a route") {
  const route where{"/{key}", "/v1/{key}/work"};
  CHECK(judge("/alpha", where) == "client alpha");
  CHECK(judge("/v1/alpha/work", where) == "worker alpha");
  CHECK(judge("/v1//work", where) == "bad_request: the key is empty");
  CHECK(judge("/v1/alpha", where).starts_with("unknown_route"));
  CHECK(judge("/v1/alpha/work/", where).starts_with("unknown_route"));
}

TEST_CASE("a target belongs to the route that has its path") {
  const std::vector<route> routes{{"/chat/{key}", "/chat/{key}/worker"},
                                  {"/gpu/{key}", "/{key}/gpu"},
                                  {"/v1/{key}/x", "/{key}"}};
  struct row {
    std::string_view target;
    size_t index;
    role side;
    std::string_view key;
  };
  auto [target, index, side, key] = GENERATE(values<row>({
      {"/chat/a", 0, role::client, "a"},
      {"/chat/a/worker", 0, role::worker, "a"},
      {"/gpu/chat", 1, role::client, "chat"},
      {"/chat%2E/gpu", 1, role::worker, "chat."},
      {"/v1/a/x?y", 2, role::client, "a"},
      {"/chat", 2, role::worker, "chat"},
  }));
  CAPTURE(target);
  const auto result = match_target(target, routes);
  REQUIRE(std::holds_alternative<route_match>(result));
  const auto& match = std::get<route_match>(result);
  CHECK(match.route == index);
  CHECK(match.side == side);
  CHECK(match.key == key);
}

TEST_CASE("of a target, what a peer may read is kept as it was sent") {
  struct row {
    std::string_view target;
    std::string_view kept;
    std::string_view query;
  };
  auto [target, kept, query] = GENERATE(values<row>({
      {"/client/a", "/client/a", ""},
      {"/client/a?", "/client/a?", ""},
      {"/client/%41?x=%20&y?z", "/client/%41?x=%20&y?z", "x=%20&y?z"},
      {"wss://host:1/client/a?x", "/client/a?x", "x"},
  }));
  CAPTURE(target);
  const auto result = match_target(target, {&usual, 1});
  REQUIRE(std::holds_alternative<route_match>(result));
  CHECK(std::get<route_match>(result).target == kept);
  CHECK(std::get<route_match>(result).query == query);
}

TEST_CASE("where routes are is told as long as there are few") {
  std::vector<route> routes(3, usual);
  const std::string one = "clients connect to /client/{key} and workers to /worker/{key}";
  auto fault = [&] { return std::get<route_fault>(match_target("/x", routes)).detail; };
  CHECK(fault() == "no route here; " + one + "; or " + one + "; or " + one);
  routes.push_back(usual);
  CHECK(fault() == "no route here");
}

TEST_CASE("a name that somebody chose is checked as a key is") {
  CHECK(name_fault("caf\xC3\xA9 1/2").empty());
  CHECK(name_fault(std::string(255, 'x')).empty());
  CHECK(name_fault("") == "is empty");
  CHECK(name_fault(std::string(256, 'x')) == "is longer than 255 bytes");
  CHECK(name_fault("a\n") == "has a control character");
  CHECK(name_fault("\xFF") == "isn't UTF-8");
}
