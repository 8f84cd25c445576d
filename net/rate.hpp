/// Rates, and what keeps to them.
#pragma once

#include <chrono>
#include <cstdint>

namespace tandem::net {

/// So much per second, of which what a span of `burst` allows may come at once.
struct rate {
  /// 0: no limit.
  uint64_t per_second = 0;
  std::chrono::milliseconds burst{1000};

  explicit operator bool() const noexcept { return per_second != 0; }
};

/// A bucket that fills up at a rate (the generic cell rate algorithm). It is told the time, and
/// holds nothing but a point in it, so there can be one for each of many addresses.
class token_bucket {
public:
  using clock = std::chrono::steady_clock;

  /// Takes one token; false, and nothing taken, if there is none. At least one fits, however short
  /// the burst is.
  bool take(const rate& limit, clock::time_point now) noexcept;

  /// Takes `n` tokens, whether they are there or not. Returns how long it takes until the bucket
  /// isn't in debt any more; zero if it isn't.
  clock::duration charge(const rate& limit, uint64_t n, clock::time_point now) noexcept;

  /// Whether it is full, so that a new one would do as well.
  bool full(clock::time_point now) const noexcept { return full_at_ <= now; }

private:
  clock::time_point full_at_{};
};

} // namespace tandem::net
