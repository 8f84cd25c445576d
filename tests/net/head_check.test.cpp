#include "net/head_check.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <string_view>

using namespace tandem;
using namespace tandem::net;
using namespace std::string_view_literals;

namespace {

/// "" or the fault of a head that comes in pieces of this size.
std::string judge(std::string_view head, size_t piece = std::string_view::npos) {
  head_check check;
  while (!head.empty()) {
    auto part = head.substr(0, piece);
    head.remove_prefix(part.size());
    if (auto fault = check.feed(part))
      return std::string{describe(fault->why).name} + ": " + fault->detail;
  }
  return {};
}

std::string with_fields(size_t n) {
  std::string head = "GET / HTTP/1.1\r\n";
  for (size_t i = 0; i < n; ++i)
    head += "X: y\r\n";
  return head + "\r\n";
}

} // namespace

TEST_CASE("a head in good order has nothing to find") {
  auto head = GENERATE(as<std::string_view>{}, "", "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
                       "GET / HTTP/1.1\r\nA:\tx \xC3\xA9\r\nB:\r\n\r\n",
                       // What is behind the head is another's to judge.
                       "GET / HTTP/1.1\r\n\r\n\x81\x85\n\r \0 \n"sv);
  CHECK(judge(head) == "");
  CHECK(judge(head, 1) == "");
}

TEST_CASE("what parsers take in different ways is refused") {
  struct row {
    std::string_view head;
    std::string_view detail;
  };
  auto [head, detail] = GENERATE(values<row>({
      {"GET / HTTP/1.1\nHost: x\n\n", "the request's head has an LF without a CR"},
      {"GET / HTTP/1.1\r\nHost: x\n\r\n", "the request's head has an LF without a CR"},
      {"\n", "the request's head has an LF without a CR"},
      {"GET / HTTP/1.1\rHost", "the request's head has a CR without an LF"},
      {"GET / HTTP/1.1\r\nHost: x\r\r\n", "the request's head has a CR without an LF"},
      {"GET / HTTP/1.1\r\n\rX", "the request's head has a CR without an LF"},
      {"GET / HTTP/1.1\r\nA: x\r\n y\r\n\r\n",
       "the request's head has a line that begins with a blank"},
      {"GET / HTTP/1.1\r\nA: x\r\n\ty\r\n\r\n",
       "the request's head has a line that begins with a blank"},
      {"GET / HTTP/1.1\r\n Host: x\r\n\r\n",
       "the request's head has a line that begins with a blank"},
      {"GET / HTTP/1.1\r\nA: \0"sv, "the request's head has a control character"},
      {"GET /\x7F", "the request's head has a control character"},
      {"GET / HTTP/1.1\r\nA: \x1B[31m", "the request's head has a control character"},
      {"\x16\x03\x01\x02", "this listener doesn't take TLS: use ws:// or http://"},
      {"G\x16", "the request's head has a control character"},
  }));
  CAPTURE(head);
  CHECK(judge(head) == "bad_request: " + std::string{detail});
  CHECK(judge(head, 1) == "bad_request: " + std::string{detail});
}

TEST_CASE("a head has so many fields at most") {
  CHECK(judge(with_fields(max_request_fields)) == "");
  CHECK(judge(with_fields(max_request_fields + 1)) ==
        "head_too_large: the request has more than 100 header fields");
}
