#include "tests/bench/load/sizes.hpp"

#include <catch2/catch.hpp>

#include <limits>

using tandem::bench::size_mix;

TEST_CASE("one size is always that size") {
  auto sizes = size_mix::parse("128");
  REQUIRE(sizes);
  CHECK(sizes->at(0, 0) == 128);
  CHECK(sizes->at(7, 99) == 128);
  CHECK(sizes->text() == "128");
}

TEST_CASE("a list is taken in turns") {
  auto sizes = size_mix::parse("1,125,0");
  REQUIRE(sizes);
  CHECK(sizes->at(3, 0) == 1);
  CHECK(sizes->at(3, 1) == 125);
  CHECK(sizes->at(3, 2) == 0);
  CHECK(sizes->at(3, 3) == 1);
  CHECK(sizes->text() == "1,125,0");
}

TEST_CASE("a range has both its ends, and nothing outside of them") {
  auto sizes = size_mix::parse("100-1000000");
  REQUIRE(sizes);
  CHECK(sizes->at(0, 0) == 100);
  CHECK(sizes->at(0, 1) == 1'000'000);
  uint64_t below_1000 = 0;
  for (uint64_t i = 0; i < 10'000; ++i) {
    auto size = sizes->at(5, i);
    CHECK((size >= 100 && size <= 1'000'000));
    below_1000 += size < 1000 ? 1 : 0;
  }
  // Evenly drawn, there would be some ten of them.
  CHECK(below_1000 > 1000);
  CHECK(sizes->at(5, 77) == sizes->at(5, 77));
  CHECK(sizes->text() == "100-1000000");
}

TEST_CASE("a range from zero, and one of a single size") {
  auto from_zero = size_mix::parse("0-3");
  REQUIRE(from_zero);
  for (uint64_t i = 0; i < 100; ++i)
    CHECK(from_zero->at(1, i) <= 3);
  auto single = size_mix::parse("9-9");
  REQUIRE(single);
  CHECK(single->at(1, 50) == 9);
}

TEST_CASE("what is no size is refused") {
  for (auto text : {"", "-", "1-", "-1", "5-4", "1,", ",1", "1,,2", "a", "12k", "1-2-3", "1,2-3",
                    " 1", "18446744073709551615", "99999999999999999999"})
    CHECK_FALSE(size_mix::parse(text));
}

TEST_CASE("the count of messages that make up a number of bytes") {
  CHECK(size_mix{100}.messages_for(0, 0) == 0);
  CHECK(size_mix{100}.messages_for(0, 100) == 1);
  CHECK(size_mix{100}.messages_for(0, 101) == 2);
  CHECK(size_mix::parse("10,20")->messages_for(0, 40) == 3);
  CHECK(size_mix::parse("10,0")->messages_for(0, 25) == 5);
  CHECK(size_mix{0}.messages_for(0, 0) == 0);
  CHECK(size_mix{0}.messages_for(0, 1) == std::numeric_limits<uint64_t>::max());
}
