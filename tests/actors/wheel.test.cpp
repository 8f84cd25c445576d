#include "actors/wheel.hpp"

#include <catch2/catch.hpp>

using tandem::wheel;

namespace {

/// In which of the next ticks each entry comes due, in their order.
std::vector<std::pair<size_t, int>> watch(wheel<int>& w, size_t ticks) {
  std::vector<std::pair<size_t, int>> result;
  for (size_t tick = 1; tick <= ticks; ++tick)
    for (auto entry : w.tick())
      result.emplace_back(tick, entry);
  return result;
}

using seen = std::vector<std::pair<size_t, int>>;

} // namespace

TEST_CASE("a wheel turns each entry up once, when it is due", "[wheel]") {
  wheel<int> w{5};
  w.schedule(10, 1);
  w.schedule(20, 5);
  w.schedule(30, 3);
  w.schedule(31, 3);
  CHECK(watch(w, 20) == seen{{1, 10}, {3, 30}, {3, 31}, {5, 20}});
}

TEST_CASE("a wheel goes round", "[wheel]") {
  wheel<int> w{3};
  for (int round = 0; round < 10; ++round) {
    w.schedule(round, 2);
    CHECK(watch(w, 3) == seen{{2, round}});
  }
}

TEST_CASE("a wheel keeps delays within what it can hold", "[wheel]") {
  wheel<int> w{4};
  w.schedule(1, 0);
  w.schedule(2, 100);
  CHECK(watch(w, 20) == seen{{1, 1}, {4, 2}});
}

TEST_CASE("what is scheduled while a tick is handled comes later", "[wheel]") {
  wheel<int> w{2};
  w.schedule(1, 1);
  for (auto entry : w.tick()) {
    w.schedule(entry + 1, 1);
    w.schedule(entry + 2, 2);
  }
  CHECK(watch(w, 2) == seen{{1, 2}, {2, 3}});
}
