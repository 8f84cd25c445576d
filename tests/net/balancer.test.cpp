#include "net/balancer.hpp"

#include <catch2/catch.hpp>

#include <vector>

using namespace std::chrono_literals;
using tandem::net::balancer;

namespace {

/// Workers whose load a test sets, and a clock that it turns.
struct plant {
  explicit plant(size_t workers)
      : loads(workers), placed(workers), balance{workers, [this](size_t i) { return loads[i]; }} {}

  /// Time passes, in which each worker is busy for that part of it.
  void pass(std::chrono::milliseconds time, const std::vector<double>& busy) {
    for (size_t i = 0; i < loads.size(); ++i)
      loads[i].busy += std::chrono::duration_cast<std::chrono::nanoseconds>(time * busy[i]);
    now += time;
  }

  /// New pairs come, whose sockets are there at once.
  void come(int pairs) {
    for (int i = 0; i < pairs; ++i) {
      const auto at = balance.choose(now);
      loads[at].sockets += 2;
      ++placed[at];
    }
  }

  std::vector<balancer::load> loads;
  std::vector<int> placed;
  balancer::clock::time_point now{1h};
  balancer balance;
};

} // namespace

TEST_CASE("idle workers get as many pairs each", "[balancer]") {
  plant all{4};
  all.come(4000);
  CHECK(all.placed == std::vector<int>{1000, 1000, 1000, 1000});
}

TEST_CASE("those who left make room", "[balancer]") {
  plant all{2};
  all.come(200);
  all.loads[1].sockets = 0;
  all.pass(1s, {0, 0});
  all.come(100);
  CHECK(all.placed == std::vector<int>{100, 200});
}

TEST_CASE("a busy worker gets no new pairs while another is idle", "[balancer]") {
  plant all{3};
  all.come(30);
  all.pass(1s, {1, 0.02, 0.02});
  all.placed = {0, 0, 0};
  all.come(20);
  CHECK(all.placed[0] == 0);
  CHECK(all.placed[1] == 10);
  CHECK(all.placed[2] == 10);
}

TEST_CASE("a crowd between two measures is spread, whoever was idle before it", "[balancer]") {
  plant all{2};
  all.come(100);
  all.pass(1s, {0.5, 0.1});
  all.placed = {0, 0};
  all.come(1000);
  // 0.6 of a core for 200 sockets, so that 66 pairs make up for the difference.
  CHECK(all.placed[1] - all.placed[0] >= 60);
  CHECK(all.placed[1] - all.placed[0] <= 72);
}

TEST_CASE("a worker that has become idle gets pairs again", "[balancer]") {
  plant all{2};
  all.come(2);
  all.pass(1s, {1, 0});
  all.come(4);
  all.pass(1s, {0, 1});
  all.placed = {0, 0};
  all.come(4);
  CHECK(all.placed == std::vector<int>{4, 0});
}
