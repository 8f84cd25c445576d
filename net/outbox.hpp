/// What waits to be written to one socket.
#pragma once

#include "net/chunk.hpp"

#include <cstddef>
#include <span>
#include <sys/uio.h>
#include <vector>

namespace tandem::net {

/// A queue of chunks that leaves in gathered writes. Belongs to one thread. Owns no memory while it
/// is empty.
class outbox {
public:
  /// Appends a peer's frames.
  void push(chunk frames);

  /// Puts control frames ahead of all frames of the peer's, but behind a chunk that has begun to
  /// leave, since a chunk's bytes can't be parted.
  void push_control(chunk frames);

  bool empty() const noexcept { return first_ == entries_.size(); }

  /// Bytes of control frames that wait. They are beyond credit, so their sender must be bounded by
  /// other means.
  size_t control_bytes() const noexcept { return control_bytes_; }

  /// Describes the front of the queue in `out`; returns how many of its entries are in use.
  size_t gather(std::span<iovec> out) const noexcept;

  /// Takes `n` bytes, which have been written, off the front. Returns the cost of the peers' chunks
  /// that left whole.
  size_t consume(size_t n) noexcept;

  /// Drops all but a chunk that has begun to leave.
  void drop_waiting() noexcept;

  void clear() noexcept;

private:
  struct entry {
    chunk frames;
    bool is_control;
  };

  std::vector<entry> entries_;
  size_t first_ = 0;
  /// Bytes of the first entry that have left.
  size_t offset_ = 0;
  size_t control_bytes_ = 0;
};

} // namespace tandem::net
