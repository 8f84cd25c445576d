/// Tells when a crowd has gone.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

namespace tandem::net {

/// Watches how much memory is in use. When that has fallen far from its height, much of what the
/// process has is free, and may be worth giving back. One thread at a time.
class tide {
public:
  /// Less than this, in bytes, isn't worth it.
  static constexpr uint64_t least = 1 << 20;

  /// Notes that so many bytes are in use: the height could come between two looks.
  void rise(uint64_t now) noexcept { height_ = std::max(height_, now); }

  /// Takes the most bytes that were in use since the last look, and how many are resident. True
  /// when two looks in a row find a quarter of the height or less, since what comes and goes all
  /// the time is better kept. And when it is worth it: by the fall, or by what has come since
  /// memory was given back. Then the caller gives it back.
  bool gone_out(uint64_t now, uint64_t resident) noexcept {
    rise(now);
    resident_ = std::min(resident_, resident);
    const bool was_low = std::exchange(low_, now < height_ && now <= height_ / 4);
    if (!low_ || !was_low)
      return false;
    low_ = false;
    const auto fall = std::exchange(height_, now) - now;
    if (fall < least && resident - resident_ < least)
      return false;
    // The next look finds how low it got.
    resident_ = UINT64_MAX;
    return true;
  }

  /// Whether nothing can fall any more, and another look would tell nothing.
  bool at_rest() const noexcept { return height_ == 0 && resident_ != UINT64_MAX; }

private:
  uint64_t height_ = 0;
  uint64_t resident_ = UINT64_MAX;
  bool low_ = false;
};

} // namespace tandem::net
