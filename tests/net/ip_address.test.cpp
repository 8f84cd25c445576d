#include "net/ip_address.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <string_view>

using namespace tandem::net;
using namespace std::string_view_literals;

namespace {

ip_address address(std::string_view text) {
  auto x = ip_address::parse(text);
  REQUIRE(x);
  return *x;
}

} // namespace

TEST_CASE("an address is written as it was read") {
  auto text = GENERATE(as<std::string>{}, "192.0.2.1", "0.0.0.0", "255.255.255.255", "::1",
                       "::", "2001:db8::1", "fe80::1:2:3:4");
  CHECK(to_string(address(text)) == text);
}

TEST_CASE("what is no address isn't taken for one") {
  auto text =
      GENERATE(as<std::string_view>{}, "", " ", "1", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4",
               "1.2.3.4 ", "1.2.3.4:80", "[::1]", "::1%eth0", "::g", "1::2::3", "localhost",
               "1.2.3.4\0"sv, std::string_view{"::ffff:100.100.100.100:1:2:3:4:5:6:7"});
  CAPTURE(text);
  CHECK_FALSE(ip_address::parse(text));
}

TEST_CASE("an IPv4-mapped address is an IPv4 address") {
  CHECK(address("::ffff:192.0.2.1") == address("192.0.2.1"));
  CHECK(address("::ffff:c000:201").is_v4());
  CHECK_FALSE(address("::192.0.2.1").is_v4());
  CHECK(to_string(address("::ffff:192.0.2.1"), 80) == "192.0.2.1:80");
  CHECK(to_string(address("2001:db8::1"), 80) == "[2001:db8::1]:80");
}

TEST_CASE("a range holds the addresses that begin as it does") {
  const address_range ten{address("10.0.0.0"), 96 + 8};
  CHECK(ten.contains(address("10.255.0.1")));
  CHECK(ten.contains(address("::ffff:10.1.2.3")));
  CHECK_FALSE(ten.contains(address("11.0.0.0")));
  CHECK_FALSE(ten.contains(address("a00::")));
  // Bits beyond its length don't matter.
  CHECK(address_range{address("10.1.2.3"), 96 + 8}.contains(address("10.9.9.9")));

  const address_range odd{address("192.0.2.128"), 96 + 25};
  CHECK(odd.contains(address("192.0.2.255")));
  CHECK_FALSE(odd.contains(address("192.0.2.127")));
  CHECK(address_range{address("::"), 0}.contains(address("1.2.3.4")));
  CHECK(address_range{address("2001:db8::"), 32}.contains(address("2001:db8:1::")));
  CHECK_FALSE(address_range{address("2001:db8::1"), 128}.contains(address("2001:db8::2")));
}

TEST_CASE("who is trusted") {
  trusted_peers nobody;
  CHECK_FALSE(nobody.contain(address("127.0.0.1")));
  CHECK_FALSE(nobody.contain(std::nullopt));
  const trusted_peers some{{{address("127.0.0.1"), 128}, {address("10.0.0.0"), 104}}, true};
  CHECK(some.contain(address("127.0.0.1")));
  CHECK(some.contain(address("10.2.3.4")));
  CHECK_FALSE(some.contain(address("127.0.0.2")));
  CHECK(some.contain(std::nullopt));
}
