/// How often each refusal came about.
#pragma once

#include "actors/error.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <string>

namespace tandem::net {

/// Any thread.
class refusal_counts {
public:
  void add(refusal why) noexcept {
    counts_[static_cast<size_t>(why)].fetch_add(1, std::memory_order_relaxed);
  }

  uint64_t of(refusal why) const noexcept {
    return counts_[static_cast<size_t>(why)].load(std::memory_order_relaxed);
  }

  uint64_t total() const noexcept;

private:
  std::array<std::atomic<uint64_t>, refusal_count> counts_{};
};

/// "bad_request=3 full=1": those that came about, by their names in the table.
std::string to_string(const refusal_counts& x);

} // namespace tandem::net
