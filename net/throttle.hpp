/// Slows one connection down to its rates.
#pragma once

#include "net/rate.hpp"

#include <cstddef>
#include <cstdint>

namespace tandem::net {

struct throttle_limits {
  rate messages{};
  rate bytes{};

  explicit operator bool() const noexcept { return messages || bytes; }
};

/// Tells how much to read at once and when not to read: what a connection sends too fast stays in
/// the kernel, and TCP slows the sender. Nothing is dropped. Belongs to one thread.
class throttle {
public:
  using clock = token_bucket::clock;

  /// The most to read at once, in bytes. It follows what the rates let through: nobody knows before
  /// how many messages a read holds, and a small one can't go far beyond them.
  size_t read_size() const noexcept { return read_size_; }

  /// So much was read. Returns how long nothing more is to be read; zero if it may go on.
  clock::duration charge(const throttle_limits& limits, uint64_t bytes, uint64_t messages,
                         clock::time_point now) noexcept;

private:
  token_bucket messages_;
  token_bucket bytes_;
  size_t read_size_ = 1024;
};

} // namespace tandem::net
