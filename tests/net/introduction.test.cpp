#include "net/introduction.hpp"

#include "actors/hash.hpp"

#include <catch2/catch.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace tandem;
using namespace tandem::net;

namespace {

constexpr auto credit_fault = "the query's credit isn't a whole number from 0 to 4294967295";
constexpr auto capacity_fault = "the query's capacity isn't a whole number from 1 to 64";
constexpr auto priority_fault = "the query's level isn't a whole number from -1000 to 1000";

using header_list = std::vector<std::pair<std::string, std::string>>;

route any_route() {
  route x{"/client/{key}", "/worker/{key}"};
  x.subprotocols = {"chat", "mqtt"};
  return x;
}

route pool() {
  auto x = any_route();
  x.pools = true;
  x.max_capacity = 64;
  return x;
}

route shared() {
  auto x = any_route();
  x.shares = true;
  x.max_capacity = 1'000'000;
  return x;
}

route sticky_by(request_value::part in, const std::string& name) {
  auto x = pool();
  x.sticky_by = {in, name};
  return x;
}

/// A peer as its request introduces it.
struct newcomer {
  newcomer(const std::string& target, const route& where, const header_list& headers = {}) {
    upgrade_request request;
    request.target(target);
    for (const auto& [name, value] : headers)
      request.insert(name, value);
    const auto matched = match_target({target.data(), target.size()}, {&where, 1});
    if (const auto lost = introduce(request, std::get<route_match>(matched), where, who, asked))
      fault = std::string{describe(lost->why).name} + ": " + lost->detail;
  }

  peer_info who;
  claim asked;
  std::string fault;
};

newcomer worker(const std::string& query, const route& where, const std::string& offer = "") {
  return {"/worker/a" + query, where, {{"Sec-WebSocket-Protocol", offer}}};
}

} // namespace

TEST_CASE("the claim is for what the peer is") {
  auto where = pool();
  const newcomer x{
      "/worker/a%20b?capacity=7", where, {{"Sec-WebSocket-Protocol", "x, tandem.json.v1, chat"}}};
  CHECK(x.fault.empty());
  CHECK(x.who.side == role::worker);
  CHECK(x.who.key == "a b");
  CHECK(x.who.frames == framing::json);
  CHECK(x.who.subprotocol == "tandem.json.v1");
  CHECK(x.who.capacity == 7);
  CHECK(x.asked.side == role::worker);
  CHECK(x.asked.key == "a b");
  CHECK(x.asked.frames == framing::json);
  CHECK(x.asked.capacity == 7);
  // Nothing else is agreed on.
  CHECK(x.asked.subprotocols.empty());
  CHECK(x.asked.ticket == 0);
}

TEST_CASE("a raw peer may agree on the application's subprotocols") {
  const newcomer x{"/client/a",
                   any_route(),
                   {{"Sec-WebSocket-Protocol", "mqtt"}, {"Sec-WebSocket-Protocol", "soap, chat"}}};
  CHECK(x.who.frames == framing::raw);
  CHECK(x.who.subprotocol.empty());
  CHECK(x.asked.subprotocols == std::vector<std::string>{"mqtt", "chat"});
}

TEST_CASE("a pool's worker says how many clients it takes") {
  struct row {
    std::string query;
    std::string offer;
    uint32_t capacity;
    std::string fault;
  };
  auto [query, offer, capacity, fault] = GENERATE(values<row>({
      {"", "tandem.v1", 1, ""},
      {"?x=1&capacity=64&y", "tandem.v1", 64, ""},
      {"?capacity=2&capacity=3", "tandem.v1", 2, ""},
      {"?c%61pacity=%32", "tandem.v1", 2, ""},
      {"?Capacity=2", "tandem.v1", 1, ""},
      {"?%zz=2", "tandem.v1", 1, ""},
      {"", "", 1, ""},
      {"?capacity=1", "", 1, ""},
      {"?capacity=65", "tandem.v1", 1, capacity_fault},
      {"?capacity=0", "tandem.v1", 1, capacity_fault},
      {"?capacity=-1", "tandem.v1", 1, capacity_fault},
      {"?capacity=", "tandem.v1", 1, capacity_fault},
      {"?capacity", "tandem.v1", 1, capacity_fault},
      {"?capacity=2x", "tandem.v1", 1, capacity_fault},
      {"?capacity=%2B2", "tandem.v1", 1, capacity_fault},
      {"?capacity=4294967297", "tandem.v1", 1, capacity_fault},
      {"?capacity=99999999999999999999", "tandem.v1", 1, capacity_fault},
      {"?capacity=%", "tandem.v1", 1,
       "the query's capacity has a percent sign without two hexadecimal digits"},
      {"?capacity=2", "chat", 2,
       "a worker with a capacity has to offer the subprotocol tandem.v1 or tandem.json.v1"},
  }));
  CAPTURE(query, offer);
  const auto x = worker(query, pool(), offer);
  CHECK(x.fault == (fault.empty() ? "" : "bad_request: " + fault));
  CHECK(x.who.capacity == capacity);
}

TEST_CASE("outside of a pool a capacity and an id are the application's own") {
  auto where = GENERATE(any_route(), shared());
  const auto x = worker("?capacity=many&id=%FF", where, "tandem.v1");
  CHECK(x.fault.empty());
  CHECK(x.who.capacity == where.max_capacity);
  CHECK(x.who.sticky == 0);
  const newcomer client{"/client/a?capacity=many&id=%FF", pool()};
  CHECK(client.fault.empty());
  CHECK(client.who.sticky == 0);
}

TEST_CASE("a pool's worker may have a name") {
  CHECK(worker("", pool()).who.sticky == 0);
  CHECK(worker("?id=gpu%207", pool()).who.sticky == stable_hash("gpu 7"));
  CHECK(worker("?id=", pool()).fault == "bad_request: the query's id is empty");
  CHECK(worker("?id=%0a", pool()).fault == "bad_request: the query's id has a control character");
  CHECK(worker("?id=" + std::string(256, 'x'), pool()).fault ==
        "bad_request: the query's id is longer than 255 bytes");
  CHECK(worker("?id=%f", pool()).fault ==
        "bad_request: the query's id has a percent sign without two hexadecimal digits");
}

TEST_CASE("a worker that many share has to be framed") {
  CHECK(worker("", shared(), "chat").fault ==
        "bad_request: many clients share a worker here, so it has to offer the subprotocol "
        "tandem.v1 or tandem.json.v1");
  const auto framed = worker("", shared(), "tandem.v1");
  CHECK(framed.fault.empty());
  CHECK(framed.who.capacity == 1'000'000);
  CHECK(framed.asked.capacity == 1'000'000);
  CHECK(newcomer{"/client/a", shared()}.fault.empty());
}

TEST_CASE("a framed peer says how much it may be sent at first") {
  CHECK(worker("", any_route(), "tandem.v1").who.credit == -1);
  CHECK(worker("?credit=0", any_route(), "tandem.v1").who.credit == 0);
  CHECK(worker("?credit=4294967295", any_route(), "tandem.v1").who.credit == 4294967295);
  for (const auto* text : {"4294967296", "-1", "x", "1e3"})
    CHECK(worker("?credit=" + std::string{text}, any_route(), "tandem.v1").fault ==
          "bad_request: " + std::string{credit_fault});
  // To a raw one it means nothing.
  CHECK(worker("?credit=x", any_route()).fault.empty());
  CHECK(worker("?credit=5", any_route()).who.credit == -1);
}

TEST_CASE("what a pool is sticky by is found where the route says") {
  using part = request_value::part;
  const header_list headers{{"X-User", "a%20b"},
                            {"Cookie", "session=one; sess=two;  q = \"x=y\" ;;=;last"},
                            {"X-Twice", "1"},
                            {"x-twice", "2"},
                            {"Cookie", "late=3; sess=4"}};
  struct row {
    part in;
    std::string name;
    std::optional<std::string> expected;
  };
  auto [in, name, expected] = GENERATE(values<row>({
      {part::none, "", {}},
      {part::query, "user", "a b&c"},
      {part::query, "use", {}},
      {part::query, "bare", ""},
      {part::header, "x-user", "a%20b"},
      {part::header, "X-Twice", "1, 2"},
      {part::header, "X-None", {}},
      {part::cookie, "sess", "two"},
      {part::cookie, "session", "one"},
      {part::cookie, "q", "\"x=y\""},
      {part::cookie, "late", "3"},
      {part::cookie, "last", ""},
      {part::cookie, "ses", {}},
      {part::cookie, "Sess", {}},
  }));
  CAPTURE(name);
  const newcomer x{"/client/a?bare&user=a%20b%26c&user=2", sticky_by(in, name), headers};
  CHECK(x.fault.empty());
  CHECK(x.who.sticky == (expected ? stable_hash(*expected) : 0));
  CHECK(x.asked.sticky == x.who.sticky);
}

TEST_CASE("a sticky value in the query has to be well encoded, and is for clients alone") {
  const auto where = sticky_by(request_value::part::query, "user");
  CHECK(newcomer{"/client/a?user=%4", where}.fault ==
        "bad_request: the query's user has a percent sign without two hexadecimal digits");
  CHECK(newcomer{"/worker/a?user=%4", where}.fault.empty());
  CHECK(newcomer{"/worker/a?user=x", where}.asked.sticky == 0);
}

TEST_CASE("a client may have a priority where the route says so") {
  struct row {
    std::string query;
    int32_t priority;
    std::string fault;
  };
  auto [query, priority, fault] = GENERATE(values<row>({
      {"", 0, ""},
      {"?level=1000", 1000, ""},
      {"?level=-1000", -1000, ""},
      {"?level=0", 0, ""},
      {"?level=1001", 0, priority_fault},
      {"?level=-1001", 0, priority_fault},
      {"?level=", 0, priority_fault},
      {"?level=+1", 0, priority_fault},
      {"?level=high", 0, priority_fault},
      {"?level=1.5", 0, priority_fault},
  }));
  CAPTURE(query);
  auto where = pool();
  CHECK(newcomer{"/client/a" + query, where}.asked.priority == 0);
  where.priority_by = {request_value::part::query, "level"};
  const newcomer x{"/client/a" + query, where};
  CHECK(x.fault == (fault.empty() ? "" : "bad_request: " + fault));
  CHECK(x.who.priority == priority);
  CHECK(x.asked.priority == priority);
}

TEST_CASE("of a client's request is kept what its worker may be told") {
  auto where = any_route();
  const header_list headers{
      {"Origin", "https://a.example"}, {"X-User", "1"}, {"x-user", "2"}, {"Secret", "s"}};
  const newcomer plain{"/client/a?x=%20", where, headers};
  CHECK(plain.who.target == "/client/a?x=%20");
  CHECK(plain.who.headers.empty());
  where.open_headers = {"x-user", "X-None", "origin"};
  const newcomer x{"http://host/client/a", where, headers};
  CHECK(x.who.target == "/client/a");
  CHECK(x.who.headers == header_list{{"x-user", "1, 2"}, {"origin", "https://a.example"}});
  // Nobody is told of a worker's.
  const newcomer other{"/worker/a?x", where, headers};
  CHECK(other.who.target.empty());
  CHECK(other.who.headers.empty());
}
