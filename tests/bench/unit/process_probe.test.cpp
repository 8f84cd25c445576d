#include "tests/bench/load/process_probe.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <unistd.h>

using tandem::bench::sample_process;

TEST_CASE("this process is seen to use time and memory") {
  auto before = sample_process(getpid());
  REQUIRE(before);
  CHECK(before->rss > 1'000'000);
  auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds{60};
  while (std::chrono::steady_clock::now() < until) {
  }
  auto after = sample_process(getpid());
  REQUIRE(after);
  CHECK(after->cpu > before->cpu);
  CHECK(after->cpu < before->cpu + 10);
  CHECK(after->voluntary_switches + after->involuntary_switches >=
        before->voluntary_switches + before->involuntary_switches);
}

TEST_CASE("there is nothing to see of a process that isn't there") {
  CHECK_FALSE(sample_process(999'999'999));
}
