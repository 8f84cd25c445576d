#include "net/envelope.hpp"

#include "net/envelope_json.hpp"
#include "net/utf8.hpp"

#include <array>
#include <cstring>

namespace tandem::net {

namespace {

uint32_t load_u32(const std::byte* in) noexcept {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i)
    value = value << 8 | std::to_integer<uint32_t>(in[i]);
  return value;
}

void store_u32(uint32_t value, std::byte* out) noexcept {
  for (size_t i = 4; i-- > 0; value >>= 8)
    out[i] = static_cast<std::byte>(value & 0xFF);
}

ending malformed(std::string_view text) {
  return ending::by(end_reason::protocol_error, text);
}

/// Appends a frame, with all of its payload but what follows `head` still to come.
void append_heads(chunk_builder& to, const envelope_head& head, size_t size) {
  auto* out = to.prepare(max_head_size + envelope_head_size);
  auto n = write_head({.op = opcode::binary,
                       .fin = true,
                       .reserved = 0,
                       .length = envelope_head_size + size,
                       .mask = {}},
                      out);
  write_envelope_head(head, out + n);
  to.commit(n + envelope_head_size);
}

void append_binary(chunk_builder& to, const envelope_head& head,
                   std::span<const std::byte> payload) {
  to.prepare(max_head_size + envelope_head_size + payload.size());
  append_heads(to, head, payload.size());
  to.append(payload);
}

void append_text_frame(chunk_builder& to, std::string_view text) {
  auto* out = to.prepare(max_head_size + text.size());
  auto n = write_head(
      {.op = opcode::text, .fin = true, .reserved = 0, .length = text.size(), .mask = {}}, out);
  to.commit(n);
  to.append(std::as_bytes(std::span{text}));
}

constexpr envelope_type data_type(opcode op) noexcept {
  return op == opcode::text ? envelope_type::text : envelope_type::binary;
}

} // namespace

uint64_t most_overhead(framing frames, uint64_t payload) noexcept {
  switch (frames) {
  case framing::raw:
    return 0;
  case framing::binary:
    return envelope_head_size;
  case framing::json:
    // Base64 takes a third more, and one who escapes what needn't be takes up to six bytes for one.
    return payload > UINT64_MAX / 8 ? UINT64_MAX - payload : payload * 5 + 4096;
  }
  return 0;
}

// -- reading ------------------------------------------------------------------

void write_envelope_head(const envelope_head& head, std::byte* out) noexcept {
  std::memset(out, 0, 4);
  out[0] = static_cast<std::byte>(head.type);
  store_u32(head.channel, out + 4);
}

envelope_head read_envelope_head(const std::byte* in) noexcept {
  return {static_cast<envelope_type>(in[0]), load_u32(in + 4)};
}

const char* judge_envelope_head(const std::byte* in, role from) noexcept {
  const auto head = read_envelope_head(in);
  if (const auto type = static_cast<uint8_t>(head.type); type < 1 || type > 8)
    return "the type of a message isn't known";
  if (in[1] != std::byte{0} || in[2] != std::byte{0} || in[3] != std::byte{0})
    return "bytes 1 to 3 of a message's head aren't zero";
  return judge_envelope(head.type, head.channel, from);
}

const char* judge_envelope(envelope_type type, uint32_t channel, role from) noexcept {
  switch (type) {
  case envelope_type::text:
  case envelope_type::binary:
    return channel == 0 ? "a message of data is on channel 0" : nullptr;
  case envelope_type::close:
    return channel == 0 ? "a close is on channel 0" : nullptr;
  case envelope_type::credit:
    return channel == 0 ? "a credit is on channel 0" : nullptr;
  case envelope_type::capacity:
    if (from != role::worker)
      return "only a worker has a capacity";
    return channel != 0 ? "a capacity isn't on channel 0" : nullptr;
  case envelope_type::drain:
    if (from != role::worker)
      return "only a worker can drain";
    return channel != 0 ? "a drain isn't on channel 0" : nullptr;
  case envelope_type::open:
    return "only the broker sends open";
  case envelope_type::event:
    return "only the broker sends events";
  }
  return "the type of a message isn't known";
}

std::optional<ending> judge_close(uint16_t code, std::string_view reason) {
  if (code != 0 && !is_valid_close_code(code))
    return malformed("the code of a close may not stand in a close frame");
  if (code == 0 && !reason.empty())
    return malformed("a close has a reason but no code");
  if (reason.size() > max_control_payload - 2)
    return malformed("the reason of a close is longer than 123 bytes");
  utf8_check check;
  if (!check.feed(std::as_bytes(std::span{reason})) || !check.complete())
    return ending::by(end_reason::invalid_utf8, "the reason of a close is not valid UTF-8");
  return std::nullopt;
}

std::optional<ending> read_envelope_payload(std::span<const std::byte> in, envelope& to) {
  switch (to.type) {
  case envelope_type::close:
    if (in.size() == 1)
      return malformed("a close has a payload of one byte");
    if (in.size() >= 2) {
      to.code = static_cast<uint16_t>(std::to_integer<unsigned>(in[0]) << 8 |
                                      std::to_integer<unsigned>(in[1]));
      if (to.code == 0)
        return malformed("the code of a close may not stand in a close frame");
      to.text.assign(reinterpret_cast<const char*>(in.data()) + 2, in.size() - 2);
    }
    return judge_close(to.code, to.text);
  case envelope_type::credit:
  case envelope_type::capacity:
    if (in.size() != 4)
      return malformed(to.type == envelope_type::credit
                           ? "the payload of a credit isn't 4 bytes long"
                           : "the payload of a capacity isn't 4 bytes long");
    to.amount = load_u32(in.data());
    return std::nullopt;
  case envelope_type::drain:
    if (!in.empty())
      return malformed("a drain has a payload");
    return std::nullopt;
  case envelope_type::open:
  case envelope_type::text:
  case envelope_type::binary:
  case envelope_type::event:
    break;
  }
  return std::nullopt;
}

// -- writing ------------------------------------------------------------------

void append_message(chunk_builder& to, framing frames, uint32_t channel, opcode op,
                    std::span<const std::byte> payload) {
  if (frames == framing::json)
    append_text_frame(to, json_message(channel, op, payload));
  else
    append_binary(to, {data_type(op), channel}, payload);
}

void append_message_head(chunk_builder& to, uint32_t channel, opcode op, size_t size) {
  append_heads(to, {data_type(op), channel}, size);
}

void append_close(chunk_builder& to, framing frames, uint32_t channel, uint16_t code,
                  std::string_view reason) {
  reason = reason.substr(0, max_control_payload - 2);
  if (frames == framing::json)
    return append_text_frame(to, json_close(channel, code, reason));
  std::array<std::byte, max_envelope_control> payload;
  size_t size = 0;
  if (code != 0) {
    payload[0] = static_cast<std::byte>(code >> 8);
    payload[1] = static_cast<std::byte>(code & 0xFF);
    std::memcpy(payload.data() + 2, reason.data(), reason.size());
    size = 2 + reason.size();
  }
  append_binary(to, {envelope_type::close, channel}, std::span{payload}.first(size));
}

void append_credit(chunk_builder& to, framing frames, uint32_t channel, uint32_t bytes) {
  if (frames == framing::json)
    return append_text_frame(to, json_credit(channel, bytes));
  std::array<std::byte, 4> payload;
  store_u32(bytes, payload.data());
  append_binary(to, {envelope_type::credit, channel}, payload);
}

void append_json(chunk_builder& to, framing frames, envelope_type type, uint32_t channel,
                 std::string_view fields) {
  if (frames == framing::json)
    append_text_frame(to, json_with_head(type, channel, fields));
  else
    append_binary(to, {type, channel}, std::as_bytes(std::span{fields}));
}

} // namespace tandem::net
