#include "tests/bench/load/histogram.hpp"

#include <catch2/catch.hpp>

using tandem::bench::histogram;

TEST_CASE("an empty histogram is all zero") {
  histogram empty;
  CHECK(empty.count() == 0);
  CHECK(empty.percentile(50) == 0);
  CHECK(empty.max() == 0);
  CHECK(empty.mean() == 0);
}

TEST_CASE("small values are kept exactly") {
  histogram some;
  for (uint64_t value = 1; value <= 100; ++value)
    some.record(value);
  CHECK(some.percentile(50) == 50);
  CHECK(some.percentile(90) == 90);
  CHECK(some.percentile(99) == 99);
  CHECK(some.percentile(100) == 100);
  CHECK(some.percentile(0) == 1);
  CHECK(some.mean() == Approx(50.5));
}

TEST_CASE("a value of any size comes back less than 1 % too high") {
  for (uint64_t value = 1; value < uint64_t{1} << 62; value += value / 3 + 1) {
    histogram one;
    one.record(value);
    // The greatest value is known exactly, so a greater one has to make room for the bucket's own
    // answer.
    one.record(~uint64_t{0});
    auto back = one.percentile(50);
    CHECK(back >= value);
    CHECK(static_cast<double>(back - value) <= 0.01 * static_cast<double>(value));
  }
}

TEST_CASE("a percentile never exceeds the maximum") {
  histogram one;
  one.record(1'000'001);
  CHECK(one.percentile(99.9) == 1'000'001);
  CHECK(one.max() == 1'000'001);
}

TEST_CASE("histograms add up") {
  histogram left;
  histogram right;
  left.record(10, 90);
  right.record(1000, 10);
  left.merge(right);
  CHECK(left.count() == 100);
  CHECK(left.percentile(90) == 10);
  CHECK(left.percentile(91) >= 1000);
  CHECK(left.max() == 1000);
  CHECK(left.mean() == Approx(109));
}
