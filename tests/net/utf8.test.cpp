#include "net/utf8.hpp"

#include "reference.hpp"

#include <catch2/catch.hpp>

#include <random>
#include <string>
#include <string_view>

using namespace tandem;
using namespace tandem::net;
using namespace std::string_view_literals;

namespace {

enum class result { valid, incomplete, invalid };

/// What the check says of a text given in two parts.
result check(std::string_view first, std::string_view second = {}) {
  utf8_check text;
  if (!text.feed(std::as_bytes(std::span{first})) || !text.feed(std::as_bytes(std::span{second})))
    return result::invalid;
  return text.complete() ? result::valid : result::incomplete;
}

result expected(std::string_view text) {
  return wire::is_utf8(text)           ? result::valid
         : wire::can_become_utf8(text) ? result::incomplete
                                       : result::invalid;
}

/// Checks `text` at every split, and behind and ahead of ASCII that fills words.
void check_everywhere(std::string_view text, result wanted) {
  for (size_t at = 0; at <= text.size(); ++at)
    CHECK(check(text.substr(0, at), text.substr(at)) == wanted);
  for (size_t ahead = 0; ahead < 40; ++ahead)
    CHECK(check(std::string(ahead, 'a').append(text)) == wanted);
  if (wanted == result::incomplete)
    return;
  for (size_t behind = 0; behind < 40; ++behind)
    CHECK(check(std::string{text}.append(behind, 'z')) == wanted);
}

} // namespace

TEST_CASE("valid UTF-8 is valid at every split") {
  auto text = GENERATE(values<std::string_view>({
      "",
      "a",
      "\0"sv,
      "\x7F",
      "plain ASCII that is longer than a word of eight bytes, and than four of them",
      "\xC2\x80",
      "\xDF\xBF",
      "\xE0\xA0\x80",
      "\xEC\xBF\xBF",
      "\xED\x9F\xBF",
      "\xEE\x80\x80",
      "\xEF\xBF\xBD",
      "\xEF\xBF\xBE",
      "\xEF\xBF\xBF",
      "\xF0\x90\x80\x80",
      "\xF3\xBF\xBF\xBF",
      "\xF4\x8F\xBF\xBF",
      "\xCE\xBA\xE1\xBD\xB9\xCF\x83\xCE\xBC\xCE\xB5",
      "\xEF\xBB\xBFwith a byte order mark",
      "w\xC3\xA9x\xE2\x82\xACy\xF0\x9F\x98\x80z",
  }));
  CAPTURE(text);
  check_everywhere(text, result::valid);
}

TEST_CASE("invalid UTF-8 is invalid at every split") {
  auto text = GENERATE(values<std::string_view>({
      // Continuation bytes on their own, and bytes that never occur.
      "\x80",
      "\xBF",
      "a\x80",
      "\xC2\x80\x80",
      "\xFE",
      "\xFF",
      "\xF8\x88\x80\x80\x80",
      "\xFC\x84\x80\x80\x80\x80",
      // Overlong forms.
      "\xC0\x80",
      "\xC0\xAF",
      "\xC1\xBF",
      "\xE0\x80\x80",
      "\xE0\x9F\xBF",
      "\xF0\x80\x80\x80",
      "\xF0\x8F\xBF\xBF",
      // Surrogates.
      "\xED\xA0\x80",
      "\xED\xAD\xBF",
      "\xED\xB0\x80",
      "\xED\xBF\xBF",
      "\xED\xA0\xBD\xED\xB8\x80",
      // Beyond U+10FFFF.
      "\xF4\x90\x80\x80",
      "\xF4\xBF\xBF\xBF",
      "\xF5\x80\x80\x80",
      "\xF7\xBF\xBF\xBF",
      // Cut by another character.
      "\xC3z",
      "\xE2\x82z",
      "\xF0\x9F\x98z",
      "\xE2\xC3\xA9",
      "\xF0\x9F\xF0\x9F\x98\x80",
      "\xC3\xC3",
  }));
  CAPTURE(text);
  check_everywhere(text, result::invalid);
}

TEST_CASE("a character that is cut can still be completed") {
  auto text = GENERATE(values<std::string_view>({
      "\xC2",
      "\xDF",
      "\xE0",
      "\xE0\xA0",
      "\xED\x9F",
      "\xEF\xBF",
      "\xF0",
      "\xF0\x90",
      "\xF0\x90\x80",
      "\xF4\x8F\xBF",
      "valid \xE2\x82",
  }));
  CAPTURE(text);
  check_everywhere(text, result::incomplete);
}

TEST_CASE("a fault is seen at the first byte that allows no valid text") {
  struct row {
    std::string_view good;
    char bad;
  };
  auto [good, bad] = GENERATE(values<row>({
      {"", '\x80'},
      {"", '\xC0'},
      {"", '\xC1'},
      {"", '\xF5'},
      {"\xE0", '\x9F'},
      {"\xED", '\xA0'},
      {"\xF0", '\x8F'},
      {"\xF4", '\x90'},
      {"\xF4\x8F", '\x7F'},
      {"\xF4\x8F\xBF", '\xC0'},
  }));
  utf8_check text;
  CHECK(text.feed(std::as_bytes(std::span{good})));
  CHECK_FALSE(text.feed(std::as_bytes(std::span{&bad, 1})));
}

TEST_CASE("every sequence of two bytes is judged as the standard's table does") {
  size_t wrong = 0;
  for (unsigned i = 0; i < 0x10000; ++i) {
    const std::string text{wire::octet(i >> 8), wire::octet(i)};
    wrong += check(text) != expected(text);
  }
  CHECK(wrong == 0);
}

TEST_CASE("random bytes are judged as the standard's table does") {
  // Such as occur at the borders of the ranges, so that long valid runs come about.
  constexpr auto likely = "az\x7F\x80\x8F\x90\x9F\xA0\xBF\xC2\xDF\xE0\xE1\xED\xEF\xF0\xF1\xF4"sv;
  std::mt19937_64 rng{3};
  size_t seen[3] = {};
  for (int i = 0; i < 100'000; ++i) {
    std::string text;
    for (auto n = rng() % 12; n > 0; --n)
      text.push_back(rng() % 8 == 0 ? wire::octet(rng()) : likely[rng() % likely.size()]);
    const auto wanted = expected(text);
    ++seen[static_cast<int>(wanted)];
    const auto split = rng() % (text.size() + 1);
    if (check(text.substr(0, split), text.substr(split)) != wanted)
      FAIL_CHECK("wrong about " << Catch::StringMaker<std::string>::convert(text));
  }
  CHECK(seen[0] > 1000);
  CHECK(seen[1] > 1000);
  CHECK(seen[2] > 1000);
}
