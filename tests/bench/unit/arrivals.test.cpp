#include "tests/bench/load/arrivals.hpp"

#include <catch2/catch.hpp>

#include <vector>

using namespace tandem::bench;
using namespace std::chrono_literals;

TEST_CASE("even arrivals take turns and don't drift") {
  arrivals schedule{1000, 3, false, 1};
  arrivals::time_point begin{5s};
  schedule.start(begin);
  for (int i = 0; i < 100'000; ++i) {
    auto [pair, due] = schedule.take();
    CHECK(pair == static_cast<uint64_t>(i % 3));
    CHECK(due - begin - i * 1ms < 2us);
    CHECK(due - begin - i * 1ms > -2us);
  }
  CHECK(schedule.next_due() - begin >= 99'999ms);
}

TEST_CASE("random arrivals keep the rate, and favour nobody") {
  arrivals schedule{10'000, 4, true, 1};
  arrivals::time_point begin{};
  schedule.start(begin);
  std::vector<int> counts(4);
  arrivals::time_point last = begin;
  int short_gaps = 0;
  constexpr int number = 100'000;
  for (int i = 0; i < number; ++i) {
    auto [pair, due] = schedule.take();
    ++counts[pair];
    CHECK(due >= last);
    short_gaps += due - last < 50us ? 1 : 0;
    last = due;
  }
  CHECK(std::chrono::duration<double>(last - begin).count() == Approx(10).epsilon(0.03));
  for (auto count : counts)
    CHECK(count == Approx(number / 4).epsilon(0.05));
  // Of a Poisson process, 1 - exp(-1/2) of the gaps are shorter than half the mean.
  CHECK(short_gaps == Approx(0.393 * number).epsilon(0.05));
}
