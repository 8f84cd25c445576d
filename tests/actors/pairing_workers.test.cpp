#include "actors/pairing_workers.hpp"

#include "actors/hash.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <string>

using namespace tandem;

namespace {

constexpr uint64_t workers = 10;
constexpr int clients = 10'000;

std::string name_of(selection how) {
  switch (how) {
  case selection::least_loaded:
    return "least-loaded";
  case selection::round_robin:
    return "round-robin";
  case selection::random:
    return "random";
  case selection::sticky:
    return "sticky";
  }
  return "?";
}

constexpr auto all_policies = {selection::least_loaded, selection::round_robin, selection::random,
                               selection::sticky};

pairing_workers ten_workers(selection how, uint64_t seed = 1) {
  pairing_workers pool{how, seed};
  for (uint64_t id = 1; id <= workers; ++id)
    pool.add(id, 0, clients);
  return pool;
}

/// How many clients each worker has got.
std::map<uint64_t, int> spread(pairing_workers& pool) {
  std::map<uint64_t, int> taken;
  for (int i = 0; i < clients; ++i)
    ++taken[pool.take(0)];
  return taken;
}

uint64_t sticky_client(int number) {
  return stable_hash("user-" + std::to_string(number));
}

} // namespace

TEST_CASE("round-robin and least-loaded spread clients evenly", "[workers]") {
  for (auto how : {selection::round_robin, selection::least_loaded}) {
    INFO(name_of(how));
    auto pool = ten_workers(how);
    auto taken = spread(pool);
    CHECK(taken.size() == workers);
    for (auto [id, n] : taken)
      CHECK(std::abs(n - clients / static_cast<int>(workers)) <= 1);
  }
}

TEST_CASE("random selection spreads clients as chance does", "[workers]") {
  const double p = 1.0 / workers;
  const double sigma = std::sqrt(clients * p * (1 - p));
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    INFO("seed=" << seed);
    auto pool = ten_workers(selection::random, seed);
    auto taken = spread(pool);
    CHECK(taken.size() == workers);
    for (auto [id, n] : taken)
      CHECK(std::abs(n - clients * p) <= 4 * sigma);
    // Not in turn.
    CHECK(std::ranges::any_of(taken, [&](auto x) { return x.second != clients * p; }));
  }
}

TEST_CASE("a sticky client stays where it is when another worker leaves", "[workers]") {
  for (uint64_t gone = 1; gone <= workers; ++gone) {
    auto pool = ten_workers(selection::sticky);
    std::map<int, uint64_t> before;
    for (int i = 0; i < clients; ++i)
      before[i] = pool.take(sticky_client(i));
    pool.remove(gone);
    int stayed = 0;
    for (int i = 0; i < clients; ++i) {
      auto now = pool.take(sticky_client(i));
      // Nobody moves but those who have to.
      CHECK((before[i] == gone || now == before[i]));
      stayed += now == before[i];
    }
    INFO("gone=" << gone << " stayed=" << stayed);
    CHECK(stayed > clients * 85 / 100);
    // And those who do spread.
    CHECK(stayed < clients);
    pool.add(gone, 0, clients);
    for (int i = 0; i < 1000; ++i)
      CHECK(pool.take(sticky_client(i)) == before[i]);
  }
}

TEST_CASE("a worker that comes again with its name has its clients again", "[workers]") {
  pairing_workers pool{selection::sticky, 1};
  for (uint64_t id = 1; id <= workers; ++id)
    pool.add(id, stable_hash("gpu-" + std::to_string(id)), 1000);
  std::map<int, uint64_t> before;
  for (int i = 0; i < 1000; ++i)
    before[i] = pool.take(sticky_client(i));
  pool.remove(3);
  pool.add(77, stable_hash("gpu-3"), 1000);
  for (int i = 0; i < 1000; ++i)
    CHECK(pool.take(sticky_client(i)) == (before[i] == 3 ? 77 : before[i]));
}

TEST_CASE("a sticky client whose worker is full has always the same second one", "[workers]") {
  pairing_workers pool{selection::sticky, 1};
  for (uint64_t id = 1; id <= 3; ++id)
    pool.add(id, 0, 1);
  auto first = pool.take(sticky_client(1));
  auto second = pool.take(sticky_client(1));
  auto third = pool.take(sticky_client(1));
  CHECK(first + second + third == 1 + 2 + 3);
  CHECK(pool.take(sticky_client(1)) == 0);
  pool.give_back(second);
  CHECK(pool.take(sticky_client(1)) == second);
}

TEST_CASE("the least loaded is the one with the smallest part taken", "[workers]") {
  pairing_workers pool{selection::least_loaded};
  pool.add(1, 0, 10);
  pool.add(2, 0, 100);
  std::map<uint64_t, int> taken;
  for (int i = 0; i < 55; ++i)
    ++taken[pool.take(0)];
  CHECK(taken[1] == 5);
  CHECK(taken[2] == 50);
}

TEST_CASE("of workers with the same load each has its turn", "[workers]") {
  for (auto how : {selection::least_loaded, selection::round_robin}) {
    INFO(name_of(how));
    pairing_workers pool{how};
    for (uint64_t id = 1; id <= 3; ++id)
      pool.add(id, 0, 10);
    for (int round = 0; round < 5; ++round)
      for (uint64_t id = 1; id <= 3; ++id) {
        CHECK(pool.take(0) == id);
        pool.give_back(id);
      }
  }
}

TEST_CASE("no worker takes more than it has room for, nor any that drains", "[workers]") {
  for (auto how : all_policies) {
    INFO(name_of(how));
    pairing_workers pool{how, 7};
    for (uint64_t id = 1; id <= 3; ++id)
      pool.add(id, 0, 2);
    pool.drain(2);
    std::map<uint64_t, int> taken;
    for (int i = 0; i < 4; ++i)
      ++taken[pool.take(sticky_client(i))];
    CHECK(taken == std::map<uint64_t, int>{{1, 2}, {3, 2}});
    CHECK_FALSE(pool.has_free());
    CHECK(pool.take(0) == 0);
    pool.resize(1, 1);
    CHECK_FALSE(pool.has_free());
    pool.give_back(1);
    CHECK_FALSE(pool.has_free());
    pool.give_back(1);
    CHECK(pool.take(0) == 1);
    pool.resize(3, 3);
    CHECK(pool.take(0) == 3);
    CHECK(pool.take(0) == 0);
    CHECK(pool.is_drained(2));
    CHECK_FALSE(pool.is_drained(1));
  }
}
