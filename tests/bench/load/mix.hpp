/// A cheap hash of 64 bits: the one source of everything pseudo-random that both ends have to agree
/// on.
#pragma once

#include <cstdint>

namespace tandem::bench {

/// Spreads the bits of `x` over the whole word. Two different inputs never give the same output.
constexpr uint64_t mix(uint64_t x) noexcept {
  x ^= x >> 32;
  x *= 0xD6E8FEB86659FD93;
  x ^= x >> 32;
  return x;
}

} // namespace tandem::bench
