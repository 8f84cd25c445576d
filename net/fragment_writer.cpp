#include "net/fragment_writer.hpp"

#include <algorithm>
#include <cstring>

namespace tandem::net {

namespace {

/// What a deflater needs for a flush, and enough to be worth a fragment.
constexpr size_t least_room = 16;

/// A head without a mask, for a payload of up to 65,535 bytes.
constexpr size_t most_head = 4;

} // namespace

bool fragment_writer::full() const noexcept {
  auto fill = open_ ? fill_ : used_ + most_head + message_.held_back.size();
  return fill + least_room > buffer_.size();
}

std::span<std::byte> fragment_writer::room() noexcept {
  if (!open_) {
    open_ = true;
    payload_ = used_ + most_head;
    fill_ = payload_ + message_.held_back_size;
    std::memcpy(buffer_.data() + payload_, message_.held_back.data(), message_.held_back_size);
    message_.held_back_size = 0;
  }
  return buffer_.subspan(fill_);
}

size_t fragment_writer::append(std::span<const std::byte> payload) noexcept {
  auto to = room();
  auto n = std::min(payload.size(), to.size());
  if (n > 0)
    std::memcpy(to.data(), payload.data(), n);
  commit(n);
  return n;
}

void fragment_writer::end() noexcept {
  room();
  if (message_.deflated)
    fill_ -= message_.held_back.size();
  close(true);
}

/// A byte of zeros is an empty block, without the tail that is cut off (RFC 7692, section 7.2.3.6).
void fragment_writer::end_empty() noexcept {
  room()[0] = std::byte{0};
  commit(1);
  close(true);
}

void fragment_writer::suspend() noexcept {
  if (!open_)
    return;
  if (message_.deflated) {
    auto n = std::min(payload_size(), message_.held_back.size());
    fill_ -= n;
    std::memcpy(message_.held_back.data(), buffer_.data() + fill_, n);
    message_.held_back_size = static_cast<uint8_t>(n);
  }
  if (payload_size() > 0)
    close(false);
  else
    discard();
}

void fragment_writer::discard() noexcept {
  open_ = false;
}

void fragment_writer::close(bool fin) noexcept {
  frame_head head{.op = message_.begun ? opcode::continuation : message_.op,
                  .fin = fin,
                  .reserved = message_.deflated && !message_.begun ? compressed_bit : uint8_t{0},
                  .length = payload_size(),
                  .mask = {}};
  std::array<std::byte, max_head_size> bytes;
  auto n = write_head(head, bytes.data());
  std::memcpy(buffer_.data() + used_, bytes.data(), n);
  // The room for the head was for the longest.
  if (n < most_head)
    std::memmove(buffer_.data() + used_ + n, buffer_.data() + payload_, payload_size());
  used_ += n + payload_size();
  message_.begun = !fin;
  open_ = false;
}

} // namespace tandem::net
