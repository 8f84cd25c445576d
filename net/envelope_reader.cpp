#include "net/envelope_reader.hpp"

#include "net/envelope_json.hpp"

#include <algorithm>
#include <cstring>
#include <utility>
#include <variant>

namespace tandem::net {

namespace {

std::string_view to_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

} // namespace

envelope_reader::event envelope_reader::next() {
  while (!input_.empty()) {
    const auto head = read_head(input_.data());
    const auto size = head_size(input_[0], input_[1]);
    const auto payload = input_.subspan(size, static_cast<size_t>(head.length));
    input_ = input_.subspan(size + payload.size());
    if (auto what = read_frame(head, payload); what != event::starved)
      return what;
  }
  return event::starved;
}

/// Starved if nothing comes out of the frame.
envelope_reader::event envelope_reader::read_frame(const frame_head& head,
                                                   std::span<const std::byte> payload) {
  if (head.op != opcode::continuation) {
    const bool json = frames_ == framing::json;
    if (head.op != (json ? opcode::text : opcode::binary))
      return fail(json ? "a message of tandem.json.v1 isn't text"
                       : "a message of tandem.v1 isn't binary");
    head_have_ = 0;
    begun_ = false;
    gathered_.clear();
  }
  if (frames_ == framing::json)
    return read_text(head.fin, payload);
  if (head_have_ < head_.size()) {
    const auto n = std::min(head_.size() - head_have_, payload.size());
    std::copy_n(payload.begin(), n, head_.begin() + static_cast<std::ptrdiff_t>(head_have_));
    head_have_ += n;
    payload = payload.subspan(n);
    if (head_have_ < head_.size())
      return head.fin ? fail("a message is shorter than its head") : event::starved;
    if (const auto* wrong = judge_envelope_head(head_.data(), from_))
      return fail(wrong);
    message_ = read_envelope_head(head_.data());
    utf8_ = {};
  }
  return is_data(message_.type) ? read_data(head.fin, payload) : gather_control(head.fin, payload);
}

envelope_reader::event envelope_reader::read_data(bool last, std::span<const std::byte> payload) {
  if (payload.empty() && !last)
    return event::starved;
  const bool text = message_.type == envelope_type::text;
  if (text && (!utf8_.feed(payload) || (last && !utf8_.complete())))
    return fail(ending::by(end_reason::invalid_utf8));
  data_ = {message_.channel, text ? opcode::text : opcode::binary, !std::exchange(begun_, true),
           last, payload};
  return event::data;
}

envelope_reader::event envelope_reader::gather_control(bool last,
                                                       std::span<const std::byte> payload) {
  if (gathered_.size() + payload.size() > max_envelope_control)
    return fail("the payload of a message that isn't data is longer than 125 bytes");
  if (!last || !gathered_.empty()) {
    gathered_ += to_text(payload);
    payload = std::as_bytes(std::span{gathered_});
  }
  if (!last)
    return event::starved;
  control_ = {.type = message_.type, .channel = message_.channel};
  if (auto wrong = read_envelope_payload(payload, control_))
    return fail(*wrong);
  return event::control;
}

envelope_reader::event envelope_reader::read_text(bool last, std::span<const std::byte> payload) {
  auto text = to_text(payload);
  if (!last || !gathered_.empty()) {
    gathered_ += text;
    text = gathered_;
  }
  if (!last)
    return event::starved;
  auto result = read_json_envelope(text, from_);
  // What came in pieces was large, maybe.
  gathered_ = {};
  if (const auto* wrong = std::get_if<ending>(&result))
    return fail(*wrong);
  control_ = std::move(std::get<envelope>(result));
  if (!is_data(control_.type))
    return event::control;
  if (control_.text.size() > max_message_)
    return fail(ending::by(end_reason::too_big));
  data_ = {control_.channel, control_.type == envelope_type::text ? opcode::text : opcode::binary,
           true, true, std::as_bytes(std::span{control_.text})};
  return event::data;
}

envelope_reader::event envelope_reader::fail(const ending& what) {
  fault_ = what;
  failed_ = true;
  input_ = {};
  return event::violation;
}

} // namespace tandem::net
