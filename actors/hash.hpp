/// A hash that never changes.
#pragma once

#include <cstdint>
#include <string_view>

namespace tandem {

/// Spreads what differs little over all 64 bits: the last step of splitmix64.
constexpr uint64_t mix(uint64_t x) noexcept {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x ^ (x >> 31);
}

/// The same in each process, on each machine: FNV-1a, mixed. Never 0, which stands for nothing.
constexpr uint64_t stable_hash(std::string_view text) noexcept {
  uint64_t hash = 0xCBF29CE484222325;
  for (char c : text)
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3;
  hash = mix(hash);
  return hash == 0 ? 1 : hash;
}

} // namespace tandem
