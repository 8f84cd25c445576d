#include "tests/bench/load/frame_reader.hpp"

#include <algorithm>
#include <utility>

namespace tandem::bench {

using net::opcode;

namespace {

bool is_known(opcode op) noexcept {
  switch (op) {
  case opcode::continuation:
  case opcode::text:
  case opcode::binary:
  case opcode::close:
  case opcode::ping:
  case opcode::pong:
    return true;
  }
  return false;
}

std::string_view fault_of(const net::frame_head& head, bool in_message, bool compressed) noexcept {
  const bool begins = head.op == opcode::text || head.op == opcode::binary;
  const auto expected = compressed && begins ? net::compressed_bit : uint8_t{0};
  if (head.reserved == 0 && expected != 0)
    return "a message isn't compressed any more";
  if (head.reserved != expected)
    return compressed ? "a reserved bit is set where it may not be"
                      : "a reserved bit is set, though no extension was agreed on";
  if (!is_known(head.op))
    return "unknown opcode";
  if (head.mask)
    return "a frame from the server is masked";
  if (head.length >> 63 != 0)
    return "a length has its highest bit set";
  if (net::is_control(head.op)) {
    if (!head.fin)
      return "a control frame is fragmented";
    return head.length > net::max_control_payload ? "a control frame is longer than 125 bytes" : "";
  }
  if (head.op == opcode::continuation)
    return in_message ? "" : "a continuation without a message to continue";
  return in_message ? "a new message begins inside a fragmented one" : "";
}

} // namespace

frame_event frame_reader::next(std::span<const std::byte>& in) noexcept {
  if (!in_frame_) {
    if (!gather_head(in))
      return {};
    if (auto fault = begin_frame(frame_); !fault.empty())
      return {.what = frame_event::kind::violation, .fault = fault};
  }
  return net::is_control(frame_.op) ? take_control(in) : take_piece(in);
}

/// Reads the head into `frame_`; false if it isn't whole yet.
bool frame_reader::gather_head(std::span<const std::byte>& in) noexcept {
  if (kept_size_ == 0 && in.size() >= 2) {
    if (auto size = net::head_size(in[0], in[1]); in.size() >= size) {
      frame_ = net::read_head(in.data());
      in = in.subspan(size);
      return true;
    }
  }
  while (!in.empty()) {
    kept_[kept_size_++] = in.front();
    in = in.subspan(1);
    if (kept_size_ >= 2 && kept_size_ == net::head_size(kept_[0], kept_[1])) {
      frame_ = net::read_head(kept_.data());
      kept_size_ = 0;
      return true;
    }
  }
  return false;
}

std::string_view frame_reader::begin_frame(const net::frame_head& head) noexcept {
  if (auto fault = fault_of(head, message_.has_value(), compressed_); !fault.empty())
    return fault;
  in_frame_ = true;
  left_ = head.length;
  if (head.op == opcode::text || head.op == opcode::binary)
    message_ = head.op;
  return {};
}

frame_event frame_reader::take_piece(std::span<const std::byte>& in) noexcept {
  auto n = static_cast<size_t>(std::min<uint64_t>(left_, in.size()));
  if (n == 0 && left_ > 0)
    return {};
  frame_event event{.what = frame_event::kind::piece, .op = *message_, .bytes = in.first(n)};
  in = in.subspan(n);
  left_ -= n;
  if (left_ == 0) {
    in_frame_ = false;
    event.last = frame_.fin;
    if (frame_.fin)
      message_.reset();
  }
  return event;
}

frame_event frame_reader::take_control(std::span<const std::byte>& in) noexcept {
  auto n = std::min(static_cast<size_t>(left_), in.size());
  std::copy_n(in.data(), n, kept_.data() + kept_size_);
  in = in.subspan(n);
  kept_size_ += n;
  left_ -= n;
  if (left_ > 0)
    return {};
  in_frame_ = false;
  auto size = std::exchange(kept_size_, 0);
  return {.what = frame_event::kind::control,
          .op = frame_.op,
          .last = true,
          .bytes = std::span{kept_}.first(size)};
}

} // namespace tandem::bench
