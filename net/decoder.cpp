#include "net/decoder.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace tandem::net {

namespace {

/// FIN among the four highest bits of a frame's first byte; the others are the reserved ones.
constexpr unsigned fin_bit = 0x8;

/// A held piece of which so much is there gets room for all of it at once. With less, it gets room
/// as its bytes come, so that a peer that only announces large frames costs next to nothing.
constexpr size_t worth_all_room = size_t{4} << 10;

constexpr bool is_known(opcode op) noexcept {
  auto code = static_cast<uint8_t>(op);
  return code <= 0x2 || (code >= 0x8 && code <= 0xA);
}

/// True if a shorter encoding of the length would have done, which section 5.2 demands.
constexpr bool is_overlong(std::byte second, uint64_t length) noexcept {
  auto form = std::to_integer<unsigned>(second) & 0x7F;
  return (form == 126 && length < 126) || (form == 127 && length <= 0xFFFF);
}

} // namespace

frame_decoder::event frame_decoder::next(std::span<std::byte>& in, chunk_builder& out) {
  for (;;) {
    if (!in_frame_) {
      while (pass_whole_message(in, out)) {
      }
      if (!gather_head(in))
        return event::starved;
      if (auto what = begin_frame(out, in.size()); what != event::starved)
        return what;
      continue;
    }
    if (is_control(head_.op)) {
      if (in.size() + partial_control_.size() < remaining_) {
        partial_control_.append(in);
        in = {};
        return event::starved;
      }
      return read_control(in);
    }
    if (in.empty())
      return event::starved;
    if (auto what = fill_piece(in, out); what != event::starved)
      return what;
  }
}

/// The short way for what nearly all messages are: of one frame, all of it there, of at most 64
/// KiB, and without a fault. It changes nothing, and is false, if the message isn't that.
bool frame_decoder::pass_whole_message(std::span<std::byte>& in, chunk_builder& out) {
  if (in_message_ || head_have_ != 0 || in.size() < 2)
    return false;
  const auto first = std::to_integer<unsigned>(in[0]);
  const auto second = std::to_integer<unsigned>(in[1]);
  const bool compressed = first >> 4 == (fin_bit | compressed_bit);
  if (first >> 4 != fin_bit && !(compressed && deflate_))
    return false;
  const auto op = static_cast<opcode>(first & 0xF);
  const bool masked = second >> 7 != 0;
  if ((op != opcode::text && op != opcode::binary) || masked != (from_ == sender::client))
    return false;
  const auto form = second & 0x7F;
  const auto head = head_size(in[0], in[1]);
  if (form == 127 || in.size() < head)
    return false;
  const size_t size =
      form < 126 ? form : std::to_integer<size_t>(in[2]) << 8 | std::to_integer<size_t>(in[3]);
  if (in.size() - head < size || (form == 126 && size < 126) || size > limits_.max_message)
    return false;
  const auto bare_head = masked ? head - sizeof(mask_key) : head;
  auto* to = out.prepare(bare_head + size);
  to[0] = in[0];
  to[1] = static_cast<std::byte>(form);
  if (form == 126)
    std::memcpy(to + 2, in.data() + 2, 2);
  const auto* payload = in.data() + head;
  if (masked) {
    mask_key key;
    std::memcpy(key.data(), in.data() + bare_head, sizeof key);
    apply_mask(payload, to + bare_head, size, key, 0);
  } else {
    std::memcpy(to + bare_head, payload, size);
  }
  if (op == opcode::text && !compressed) {
    utf8_check text;
    if (!text.feed({to + bare_head, size}) || !text.complete())
      return false;
  }
  out.commit(bare_head + size);
  in = in.subspan(head + size);
  ++messages_;
  return true;
}

/// Reads a head that may come in several reads; false if some of it is still to come.
bool frame_decoder::gather_head(std::span<std::byte>& in) noexcept {
  while (head_have_ < 2 || head_have_ < head_size(head_bytes_[0], head_bytes_[1])) {
    auto want = head_have_ < 2 ? 2 : head_size(head_bytes_[0], head_bytes_[1]);
    auto n = std::min(want - head_have_, in.size());
    if (n == 0)
      return false;
    std::memcpy(head_bytes_ + head_have_, in.data(), n);
    head_have_ = static_cast<uint8_t>(head_have_ + n);
    in = in.subspan(n);
  }
  head_have_ = 0;
  head_ = read_head(head_bytes_);
  return true;
}

/// What is wrong with the reserved bits; null if nothing is (RFC 7692, section 6).
const char* frame_decoder::judge_reserved() const noexcept {
  if (head_.reserved == 0)
    return nullptr;
  if (!deflate_)
    return "a reserved bit is set, but no extension was agreed on";
  if (head_.reserved != compressed_bit)
    return "a reserved bit is set that no extension uses";
  if (is_control(head_.op) || head_.op == opcode::continuation)
    return "the bit for compression is set, but not on the first frame of a message";
  return nullptr;
}

/// What is wrong with the head, by section 5; null if nothing is.
const char* frame_decoder::judge_head() const noexcept {
  if (const auto* wrong = judge_reserved())
    return wrong;
  if (!is_known(head_.op))
    return "the opcode is reserved";
  if (from_ == sender::client && !head_.mask)
    return "a client's frame isn't masked";
  if (from_ == sender::server && head_.mask)
    return "a server's frame is masked";
  if (is_control(head_.op)) {
    if (!head_.fin)
      return "a control frame is fragmented";
    if (head_.length > max_control_payload)
      return "a control frame is longer than 125 bytes";
  } else if (head_.op == opcode::continuation && !in_message_) {
    return "a continuation frame continues nothing";
  } else if (head_.op != opcode::continuation && in_message_) {
    return "a new message begins inside a fragmented one";
  }
  if (is_overlong(head_bytes_[1], head_.length))
    return "a length isn't in its shortest form";
  if (head_.length >> 63 != 0)
    return "a length has its highest bit set";
  return nullptr;
}

frame_decoder::event frame_decoder::begin_frame(chunk_builder& out, size_t available) {
  if (const auto* wrong = judge_head())
    return fail(end_reason::protocol_error, wrong);
  in_frame_ = true;
  remaining_ = head_.length;
  phase_ = 0;
  if (is_control(head_.op)) {
    partial_control_ = {};
    return event::starved;
  }
  if (head_.op != opcode::continuation) {
    in_message_ = true;
    text_ = head_.op == opcode::text && head_.reserved == 0;
    utf8_ = {};
    message_size_ = 0;
  }
  if (head_.length > limits_.max_message - message_size_)
    return fail(end_reason::too_big);
  message_size_ += head_.length;
  first_piece_ = true;
  begin_piece(out, available);
  return remaining_ == 0 ? end_frame(out) : event::starved;
}

/// Decides how much of the frame goes out under one head, and writes that head: all of it, or all
/// that is there if that is enough to be worth a fragment, or else a piece that is held until its
/// bytes have come.
void frame_decoder::begin_piece(chunk_builder& out, size_t available) {
  auto size = remaining_;
  if (size > available)
    size = available >= limits_.piece ? available : std::min<uint64_t>(size, limits_.piece);
  piece_left_ = size;
  frame_head head{.op = first_piece_ ? head_.op : opcode::continuation,
                  .fin = head_.fin && size == remaining_,
                  .reserved = first_piece_ ? head_.reserved : uint8_t{0},
                  .length = size,
                  .mask = {}};
  first_piece_ = false;
  auto& target = size <= available ? out : held_;
  piece_start_ = target.size();
  // Asks for no byte more than it needs: the room that `next` wants is just enough.
  std::array<std::byte, max_head_size> bytes;
  auto n = write_head(head, bytes.data());
  auto room = available >= worth_all_room ? size : std::min<uint64_t>(size, available);
  std::memcpy(target.prepare(n + room), bytes.data(), n);
  target.commit(n);
}

frame_decoder::event frame_decoder::fill_piece(std::span<std::byte>& in, chunk_builder& out) {
  if (piece_left_ == 0)
    begin_piece(out, in.size());
  auto n = static_cast<size_t>(std::min<uint64_t>(in.size(), piece_left_));
  const bool holds = static_cast<bool>(held_);
  auto& target = holds ? held_ : out;
  auto* to = target.prepare(n, target.size() + static_cast<size_t>(piece_left_));
  if (head_.mask)
    apply_mask(in.data(), to, n, *head_.mask, phase_);
  else
    std::memcpy(to, in.data(), n);
  target.commit(n);
  phase_ = static_cast<uint8_t>((phase_ + n) % 4);
  in = in.subspan(n);
  piece_left_ -= n;
  remaining_ -= n;
  if (text_ && !utf8_.feed({to, n}))
    return fail_text(target);
  if (piece_left_ > 0)
    return event::starved;
  if (remaining_ > 0)
    open_out_ = true;
  else if (end_frame(target) == event::violation)
    return event::violation;
  return holds ? event::piece : event::starved;
}

/// The payload of the frame at the end of `target` is complete.
frame_decoder::event frame_decoder::end_frame(chunk_builder& target) noexcept {
  in_frame_ = false;
  if (head_.fin && text_ && !utf8_.complete())
    return fail_text(target);
  open_out_ = in_message_ = !head_.fin;
  messages_ += head_.fin ? 1 : 0;
  return event::starved;
}

/// The frame at the end of `target` isn't valid text: what came before it is still delivered.
frame_decoder::event frame_decoder::fail_text(chunk_builder& target) noexcept {
  target.truncate(piece_start_);
  return fail(end_reason::invalid_utf8);
}

frame_decoder::event frame_decoder::read_control(std::span<std::byte>& in) {
  auto payload = in.first(static_cast<size_t>(remaining_) - partial_control_.size());
  in = in.subspan(payload.size());
  if (partial_control_.size() > 0) {
    partial_control_.append(payload);
    payload = {partial_control_.data(), partial_control_.size()};
  }
  if (head_.mask)
    apply_mask(payload.data(), payload.data(), payload.size(), *head_.mask, 0);
  in_frame_ = false;
  return end_control(payload);
}

frame_decoder::event frame_decoder::end_control(std::span<std::byte> payload) noexcept {
  control_ = payload;
  if (head_.op == opcode::close)
    return end_close(payload);
  return head_.op == opcode::ping ? event::ping : event::pong;
}

frame_decoder::event frame_decoder::end_close(std::span<std::byte> payload) noexcept {
  if (payload.empty()) {
    close_code_ = 0;
    return event::close;
  }
  if (payload.size() == 1)
    return fail(end_reason::protocol_error, "a close frame has a payload of one byte");
  close_code_ = static_cast<uint16_t>(std::to_integer<unsigned>(payload[0]) << 8 |
                                      std::to_integer<unsigned>(payload[1]));
  if (!is_valid_close_code(close_code_))
    return fail(end_reason::protocol_error, "the close code may not stand in a close frame");
  control_ = payload.subspan(2);
  utf8_check reason;
  if (!reason.feed(control_) || !reason.complete())
    return fail(end_reason::invalid_utf8, "the reason of a close frame is not valid UTF-8");
  return event::close;
}

frame_decoder::event frame_decoder::fail(end_reason reason, const char* text) noexcept {
  held_ = {};
  fault_reason_ = reason;
  fault_text_ = text;
  return event::violation;
}

} // namespace tandem::net
