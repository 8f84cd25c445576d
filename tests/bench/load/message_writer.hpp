/// Writes the messages of one direction of a pair as a client's frames.
#pragma once

#include "tests/bench/load/payload.hpp"

namespace tandem::bench {

/// A stream of masked frames that is made as room for it comes up: a message is never held as a
/// whole.
class message_writer {
public:
  /// Writes the messages that `what` has for a direction of `pair`. `what` must outlive it.
  message_writer(const script& what, uint64_t pair, direction way) noexcept;

  /// Writes frames of the messages before number `limit` into `room`, and returns the bytes
  /// written. A message that was begun is gone on with, whatever `limit` is.
  size_t fill(std::span<std::byte> room, uint64_t limit) noexcept;

  /// Messages of which at least the head was written.
  uint64_t started() const noexcept { return started_; }

  /// True between two frames, where alone a control frame may stand.
  bool between_frames() const noexcept { return frame_left_ == 0; }

  /// True if `fill` would write something.
  bool has_more(uint64_t limit) const noexcept {
    return frame_left_ > 0 || more_frames_ || started_ < limit;
  }

private:
  void begin_message() noexcept;
  size_t begin_frame(std::byte* out) noexcept;
  size_t continue_frame(std::span<std::byte> room) noexcept;

  const script* script_;
  uint64_t pair_;
  direction way_;
  uint64_t started_ = 0;
  payload message_;
  uint64_t offset_ = 0;
  /// The message at hand goes on after the frame at hand.
  bool more_frames_ = false;
  uint64_t frame_left_ = 0;
  uint64_t frame_done_ = 0;
  net::mask_key mask_{};
  uint64_t mask_state_;
};

} // namespace tandem::bench
