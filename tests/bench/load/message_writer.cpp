#include "tests/bench/load/message_writer.hpp"

#include "tests/bench/load/mix.hpp"

#include <algorithm>
#include <cstring>

namespace tandem::bench {

message_writer::message_writer(const script& what, uint64_t pair, direction way) noexcept
    : script_(&what), pair_(pair), way_(way), message_(0, 0, false),
      mask_state_(mix(pair * 2 + static_cast<uint64_t>(way) + 1)) {}

size_t message_writer::fill(std::span<std::byte> room, uint64_t limit) noexcept {
  size_t n = 0;
  for (;;) {
    if (frame_left_ > 0) {
      n += continue_frame(room.subspan(n));
      if (frame_left_ > 0)
        return n;
    }
    if (!has_more(limit) || room.size() - n < net::max_head_size)
      return n;
    if (!more_frames_)
      begin_message();
    n += begin_frame(room.data() + n);
  }
}

void message_writer::begin_message() noexcept {
  message_ = script_->message(pair_, way_, started_++);
  offset_ = 0;
}

/// Writes the head of the message's next frame and returns its size.
size_t message_writer::begin_frame(std::byte* out) noexcept {
  auto left = message_.size() - offset_;
  frame_left_ = script_->fragment > 0 ? std::min(left, script_->fragment) : left;
  frame_done_ = 0;
  more_frames_ = frame_left_ < left;
  mask_state_ += 0x9E3779B97F4A7C15;
  auto random = mix(mask_state_);
  std::memcpy(mask_.data(), &random, mask_.size());
  return net::write_head(
      {.op = offset_ == 0 ? script_->opcode() : net::opcode::continuation,
       .fin = !more_frames_,
       .reserved = script_->compressed && offset_ == 0 ? net::compressed_bit : uint8_t{0},
       .length = frame_left_,
       .mask = mask_},
      out);
}

size_t message_writer::continue_frame(std::span<std::byte> room) noexcept {
  auto out = room.first(static_cast<size_t>(std::min<uint64_t>(frame_left_, room.size())));
  message_.write(offset_, out);
  net::apply_mask(out.data(), out.data(), out.size(), mask_, static_cast<size_t>(frame_done_ % 4));
  offset_ += out.size();
  frame_done_ += out.size();
  frame_left_ -= out.size();
  return out.size();
}

} // namespace tandem::bench
