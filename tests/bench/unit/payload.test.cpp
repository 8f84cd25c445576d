#include "tests/bench/load/payload.hpp"

#include "tests/net/deflating.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <utility>
#include <vector>

using namespace tandem;
using namespace tandem::bench;

namespace {

std::vector<std::byte> whole(const payload& content) {
  std::vector<std::byte> bytes(content.size());
  content.write(0, bytes);
  return bytes;
}

/// Counts the characters of each length; nothing if the bytes are no UTF-8 (RFC 3629, section 4).
std::optional<std::array<size_t, 5>> characters(const std::vector<std::byte>& bytes) {
  std::array<size_t, 5> counts{};
  for (size_t i = 0; i < bytes.size();) {
    auto lead = std::to_integer<unsigned>(bytes[i]);
    size_t length = lead < 0x80                   ? 1
                    : lead >= 0xC2 && lead < 0xE0 ? 2
                    : lead > 0xE0 && lead < 0xED  ? 3
                    : lead > 0xF0 && lead < 0xF4  ? 4
                                                  : 0;
    if (length == 0 || i + length > bytes.size())
      return std::nullopt;
    for (size_t k = 1; k < length; ++k)
      if ((bytes[i + k] & std::byte{0xC0}) != std::byte{0x80})
        return std::nullopt;
    ++counts[length];
    i += length;
  }
  return counts;
}

} // namespace

TEST_CASE("a payload is the same however it is cut") {
  for (auto [text, stored] : {std::pair{false, false}, {true, false}, {false, true}}) {
    payload content{42, 1000, text, stored};
    auto expected = whole(content);
    for (size_t step : {1U, 3U, 7U, 8U, 9U, 64U, 999U}) {
      std::vector<std::byte> pieced(content.size());
      for (size_t at = 0; at < pieced.size(); at += step) {
        auto n = std::min(step, pieced.size() - at);
        content.write(at, std::span{pieced}.subspan(at, n));
        CHECK_FALSE(content.first_difference(at, std::span{expected}.subspan(at, n)));
      }
      CHECK(pieced == expected);
    }
  }
}

TEST_CASE("the first wrong byte is found, wherever it is") {
  payload content{7, 100, false};
  auto right = whole(content);
  for (size_t wrong = 0; wrong < right.size(); ++wrong) {
    auto bytes = right;
    bytes[wrong] ^= std::byte{1};
    for (size_t from : {size_t{0}, wrong / 2, wrong})
      CHECK(content.first_difference(from, std::span{bytes}.subspan(from)) == wrong);
  }
}

TEST_CASE("what lies beyond the end is wrong") {
  payload content{7, 10, false};
  auto bytes = whole(content);
  bytes.push_back(std::byte{0});
  CHECK(content.first_difference(0, bytes) == 10U);
  CHECK(content.first_difference(11, bytes) == 11U);
  CHECK_FALSE(content.first_difference(10, {}));
}

TEST_CASE("text is UTF-8 of any size, with characters of all lengths") {
  for (uint64_t size = 0; size < 200; ++size)
    CHECK(characters(whole(payload{size, size, true})));
  auto counts = characters(whole(payload{1, 10'000, true}));
  REQUIRE(counts);
  for (size_t length = 1; length <= 4; ++length)
    CHECK((*counts)[length] > 100);
}

TEST_CASE("no two messages of a script are alike") {
  script what;
  auto first = whole(what.message(3, direction::to_worker, 5));
  CHECK(whole(what.message(3, direction::to_worker, 5)) == first);
  CHECK(whole(what.message(3, direction::to_client, 5)) != first);
  CHECK(whole(what.message(3, direction::to_worker, 6)) != first);
  CHECK(whole(what.message(4, direction::to_worker, 5)) != first);
}

TEST_CASE("a stored payload is a compressed message of its size on the wire") {
  for (uint64_t size : {6U, 7U, 8U, 9U, 13U, 14U, 128U, 4096U, 65541U}) {
    CAPTURE(size);
    const auto bytes = whole(payload{7, size, false, true});
    const std::string message(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    CHECK(wire::message_inflater{}(message) == message.substr(5, size - payload::stored_overhead));
  }
}
