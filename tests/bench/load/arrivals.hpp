/// The schedule of an open loop: when which pair's client is due to send.
#pragma once

#include <chrono>
#include <cstdint>
#include <random>

namespace tandem::bench {

/// Arrivals at a given rate, evenly spaced and taking turns, or those of a Poisson process. What
/// was missed while the tool was busy is still handed out, with the time at which it was due.
class arrivals {
public:
  using time_point = std::chrono::steady_clock::time_point;

  struct arrival {
    uint64_t pair;
    time_point due;
  };

  /// `rate` arrivals a second over `pairs` pairs.
  arrivals(double rate, uint64_t pairs, bool poisson, uint64_t seed);

  /// The schedule begins at `begin`.
  void start(time_point begin) noexcept;

  /// When the next one is due.
  time_point next_due() const noexcept { return next_.due; }

  /// Takes the next one off the schedule.
  arrival take();

private:
  double gap_;
  uint64_t pairs_;
  bool poisson_;
  std::mt19937_64 random_;
  std::exponential_distribution<double> gaps_;
  time_point begin_;
  /// Seconds from `begin_` to the next arrival, and its number.
  double offset_ = 0;
  uint64_t number_ = 0;
  arrival next_{};
};

} // namespace tandem::bench
