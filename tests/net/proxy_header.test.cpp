#include "net/proxy_header.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <string_view>
#include <variant>
#include <vector>

using namespace tandem::net;
using namespace std::string_literals;

namespace {

const auto signature = "\r\n\r\n\0\r\nQUIT\n"s;

std::string number(size_t x) {
  return {static_cast<char>(x >> 8), static_cast<char>(x & 0xFF)};
}

/// A header of version 2.
std::string v2(int version_command, int family, const std::string& block) {
  return signature + static_cast<char>(version_command) + static_cast<char>(family) +
         number(block.size()) + block;
}

const auto v4_block = "\xC0\x00\x02\x01\x7F\x00\x00\x01"s + number(4711) + number(8080);
const auto v6_block = "\x20\x01\x0D\xB8"s + std::string(11, '\0') + "\x01"s +
                      std::string(15, '\0') + "\x01"s + number(4711) + number(8080);

/// "ADDRESS:PORT", "no address", "begun" or the fault; and the size if all of it is there.
std::string judge(std::string_view bytes) {
  auto result = parse_proxy_header(bytes);
  if (std::holds_alternative<proxy_header_begun>(result))
    return "begun";
  if (const auto* fault = std::get_if<proxy_header_fault>(&result))
    return std::string{fault->detail};
  const auto& header = std::get<proxy_header>(result);
  return (header.source ? to_string(*header.source, header.port) : "no address") + ", " +
         std::to_string(header.size);
}

std::vector<std::string> good_headers() {
  return {
      "PROXY TCP4 192.0.2.1 127.0.0.1 4711 8080\r\n",
      "PROXY TCP6 2001:db8::1 ::1 4711 8080\r\n",
      "PROXY UNKNOWN\r\n",
      "PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n",
      v2(0x21, 0x11, v4_block),
      v2(0x21, 0x21, v6_block),
      v2(0x21, 0x12, v4_block),
      v2(0x21, 0x31, std::string(216, 'p')),
      v2(0x21, 0x00, ""),
      v2(0x21, 0x00, "ignored"),
      v2(0x20, 0x00, ""),
      v2(0x20, 0x11, v4_block),
      v2(0x21, 0x11, v4_block + "\x04"s + number(3) + "tlv"),
      v2(0x21, 0x11, v4_block + std::string(max_proxy_header - 28, 'x')),
  };
}

} // namespace

TEST_CASE("a PROXY header tells whose connection it is") {
  CHECK(judge("PROXY TCP4 192.0.2.1 127.0.0.1 4711 8080\r\nGET") == "192.0.2.1:4711, 42");
  CHECK(judge("PROXY TCP4 255.255.255.255 255.255.255.255 65535 0\r\n") ==
        "255.255.255.255:65535, 52");
  CHECK(judge("PROXY TCP6 2001:db8::1 ::1 4711 8080\r\n") == "[2001:db8::1]:4711, 38");
  CHECK(judge(v2(0x21, 0x11, v4_block) + "GET") == "192.0.2.1:4711, 28");
  CHECK(judge(v2(0x21, 0x21, v6_block) + "GET") == "[2001:db8::1]:4711, 52");
  CHECK(judge(v2(0x21, 0x22, v6_block)) == "[2001:db8::1]:4711, 52");
}

TEST_CASE("a PROXY header needn't have an address") {
  CHECK(judge("PROXY UNKNOWN\r\n") == "no address, 15");
  CHECK(judge("PROXY UNKNOWN what ever stands here\r\n") == "no address, 37");
  CHECK(judge(v2(0x20, 0x00, "")) == "no address, 16");
  // With LOCAL, the addresses that are there are the proxy's own affair.
  CHECK(judge(v2(0x20, 0x11, v4_block)) == "no address, 28");
  CHECK(judge(v2(0x20, 0xFF, "")) == "no address, 16");
  CHECK(judge(v2(0x21, 0x00, "abc")) == "no address, 19");
  CHECK(judge(v2(0x21, 0x31, std::string(216, 'p'))) == "no address, 232");
}

TEST_CASE("what follows the addresses of a PROXY header is skipped") {
  const auto tlv = "\x04"s + number(1000) + std::string(1000, 'x');
  CHECK(judge(v2(0x21, 0x11, v4_block + tlv) + "GET") == "192.0.2.1:4711, 1031");
}

TEST_CASE("a PROXY header may come in any pieces") {
  for (const auto& header : good_headers()) {
    for (size_t n = 0; n < header.size(); ++n) {
      INFO(header << " cut at " << n);
      REQUIRE(judge(std::string_view{header}.substr(0, n)) == "begun");
    }
    const auto whole = judge(header);
    CHECK(whole.ends_with(", " + std::to_string(header.size())));
    // What comes behind it makes no difference.
    CHECK(judge(header + "\r\nPROXY ") == whole);
    CHECK(judge(header + header) == whole);
  }
}

TEST_CASE("what is wrong with a PROXY header is named") {
  constexpr auto none = "the connection doesn't begin with a PROXY header";
  constexpr auto addresses = "the PROXY header has malformed addresses";
  constexpr auto protocol = "the PROXY header names no known protocol";
  constexpr auto no_cr = "the PROXY header's line ends without a CR";
  constexpr auto too_short = "the PROXY header is too short for its addresses";
  struct row {
    std::string bytes;
    std::string_view expected;
  };
  auto [bytes, expected] = GENERATE_REF(values<row>({
      {"GET / HTTP/1.1\r\n", none},
      {"PO", none},
      {"proxy TCP4", none},
      {" PROXY TCP4", none},
      {"\r\n\r\n\r\n", none},
      {"\r\n\r\n\0\r\nQUIT\r"s, none},
      {"\x16\x03\x01"s, none},
      {"PROXY\tTCP4 1.2.3.4 1.2.3.4 1 2\r\n", none},
      {"PROXY \r\n", protocol},
      {"PROXY TCP\r\n", protocol},
      {"PROXY TCP5 1.2.3.4 1.2.3.4 1 2\r\n", protocol},
      {"PROXY tcp4 1.2.3.4 1.2.3.4 1 2\r\n", protocol},
      {"PROXY UNKNOWNX\r\n", protocol},
      {"PROXY  TCP4 1.2.3.4 1.2.3.4 1 2\r\n", protocol},
      {"PROXY TCP4\r\n", addresses},
      {"PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n", addresses},
      {"PROXY TCP4 1.2.3.4 1.2.3.4 1 2 \r\n", addresses},
      {"PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n", addresses},
      {"PROXY TCP4  1.2.3.4 1.2.3.4 1 2\r\n", addresses},
      {"PROXY TCP4 1.2.3 1.2.3.4 1 2\r\n", addresses},
      {"PROXY TCP4 1.2.3.4 localhost 1 2\r\n", addresses},
      {"PROXY TCP4 ::1 ::1 1 2\r\n", addresses},
      {"PROXY TCP4 ::ffff:1.2.3.4 1.2.3.4 1 2\r\n", addresses},
      {"PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n", addresses},
      {"PROXY TCP4 1.2.3.4 1.2.3.4 65536 2\r\n", addresses},
      {"PROXY TCP4 1.2.3.4 1.2.3.4 -1 2\r\n", addresses},
      {"PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n", addresses},
      {"PROXY TCP4 1.2.3.4 1.2.3.4 1 0x2\r\n", addresses},
      {"PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n", no_cr},
      {"PROXY UNKNOWN\n", no_cr},
      {"PROXY UNKNOWN " + std::string(93, 'x'), "the PROXY header's line is longer than 107 bytes"},
      {"PROXY UNKNOWN " + std::string(92, 'x') + "\r\n",
       "the PROXY header's line is longer than 107 bytes"},
      {v2(0x11, 0x11, v4_block), "the PROXY header has another version than 1 or 2"},
      {v2(0x31, 0x11, v4_block), "the PROXY header has another version than 1 or 2"},
      {v2(0x22, 0x11, v4_block), "the PROXY header has an unknown command"},
      {v2(0x2F, 0x11, v4_block), "the PROXY header has an unknown command"},
      {v2(0x21, 0x41, v4_block), protocol},
      {v2(0x21, 0x13, v4_block), protocol},
      {v2(0x21, 0x11, v4_block.substr(1)), too_short},
      {v2(0x21, 0x21, v4_block), too_short},
      {v2(0x21, 0x31, v4_block), too_short},
      {v2(0x21, 0x11, ""), too_short},
      // Refused at its length, before the rest is there.
      {signature + "\x21\x11" + number(max_proxy_header - 15),
       "the PROXY header is longer than 4096 bytes"},
      {signature + "\x21\x11\xFF\xFF", "the PROXY header is longer than 4096 bytes"},
  }));
  CAPTURE(bytes);
  CHECK(judge(bytes) == expected);
}

TEST_CASE("a line of 107 bytes is the longest PROXY header of version 1") {
  const auto longest = "PROXY UNKNOWN " + std::string(91, 'x') + "\r\n";
  CHECK(longest.size() == 107);
  CHECK(judge(longest) == "no address, 107");
}
