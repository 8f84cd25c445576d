#include "net/forwarded_for.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <string_view>

using namespace tandem::net;

namespace {

const trusted_peers trusted{
    {{*ip_address::parse("10.0.0.0"), 104}, {*ip_address::parse("::1"), 128}}};

std::string client(std::string_view list) {
  auto found = forwarded_client(list, trusted);
  return found ? to_string(*found) : "nobody";
}

} // namespace

TEST_CASE("the client is the rightmost whom nobody trusts") {
  struct row {
    std::string_view list;
    std::string_view expected;
  };
  auto [list, expected] = GENERATE(values<row>({
      {"192.0.2.1", "192.0.2.1"},
      {" 192.0.2.1\t", "192.0.2.1"},
      {"192.0.2.1, 10.0.0.1", "192.0.2.1"},
      {"192.0.2.1,10.0.0.1,::1", "192.0.2.1"},
      // What it claims to pass on is its own word.
      {"10.0.0.9, 192.0.2.1", "192.0.2.1"},
      {"203.0.113.7, 192.0.2.1, 10.0.0.1", "192.0.2.1"},
      {"127.0.0.1, 192.0.2.1", "192.0.2.1"},
      // All trusted: the farthest.
      {"10.0.0.3, 10.0.0.2, 10.0.0.1", "10.0.0.3"},
      {"2001:db8::1", "2001:db8::1"},
      {"[2001:db8::1]", "2001:db8::1"},
      {"[2001:db8::1]:4711, 10.0.0.1:80", "2001:db8::1"},
      {"192.0.2.1:4711", "192.0.2.1"},
      {"::ffff:192.0.2.1", "192.0.2.1"},
  }));
  CAPTURE(list);
  CHECK(client(list) == expected);
}

TEST_CASE("what is no address ends the search for the client") {
  struct row {
    std::string_view list;
    std::string_view expected;
  };
  auto [list, expected] = GENERATE(values<row>({
      {"", "nobody"},
      {" ", "nobody"},
      {",", "nobody"},
      {"unknown", "nobody"},
      {"192.0.2.1,", "nobody"},
      {"[192.0.2.1", "nobody"},
      {"[::1]x", "nobody"},
      {"192.0.2.1, unknown, 10.0.0.1", "10.0.0.1"},
      {"192.0.2.1, , 10.0.0.1", "10.0.0.1"},
      {"_hidden, 192.0.2.1", "192.0.2.1"},
  }));
  CAPTURE(list);
  CHECK(client(list) == expected);
}
