/// Numbers for connections.
#pragma once

#include <atomic>
#include <cstdint>

namespace tandem {

/// A number that nobody else has in the life of the broker, from 1: a ticket, and the id of the
/// connection that comes of it. Any thread.
inline uint64_t next_id() noexcept {
  static std::atomic<uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

} // namespace tandem
