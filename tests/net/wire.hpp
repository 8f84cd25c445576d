/// Frames as tests write and read them. By RFC 6455 alone: none of the code under test is in it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

namespace tandem::wire {

// Plain numbers, since a test also sends opcodes that don't exist.
inline constexpr uint8_t continuation = 0x0;
inline constexpr uint8_t text = 0x1;
inline constexpr uint8_t binary = 0x2;
inline constexpr uint8_t close = 0x8;
inline constexpr uint8_t ping = 0x9;
inline constexpr uint8_t pong = 0xA;

/// Says what a test expects, where Catch isn't at hand: throws std::logic_error if it isn't so.
inline void expect(bool holds, const char* what) {
  if (!holds)
    throw std::logic_error{what};
}

/// A frame, right or wrong.
struct frame {
  uint8_t opcode = text;
  std::string payload{};
  bool fin = true;
  uint8_t reserved = 0;
  /// First byte of the wire highest.
  std::optional<uint32_t> mask{};
  /// Bytes of the extended length: 0, 2 or 8. The shortest form if it isn't set.
  std::optional<int> length_size{};
  /// What the head claims. The payload's size if it isn't set.
  std::optional<uint64_t> length{};
};

inline char octet(uint64_t value) {
  return static_cast<char>(static_cast<unsigned char>(value & 0xFF));
}

inline std::string big_endian(uint64_t value, int size) {
  std::string out;
  for (auto i = size; i-- > 0;)
    out.push_back(octet(value >> 8 * i));
  return out;
}

inline std::string masked(std::string_view payload, uint32_t mask) {
  std::string out{payload};
  for (size_t i = 0; i < out.size(); ++i)
    out[i] = octet(static_cast<unsigned char>(out[i]) ^ mask >> 8 * (3 - i % 4));
  return out;
}

inline std::string encode(const frame& x) {
  const auto length = x.length.value_or(x.payload.size());
  const auto size = x.length_size.value_or(length < 126 ? 0 : length <= 0xFFFF ? 2 : 8);
  std::string out;
  out.push_back(octet((x.fin ? 0x80U : 0U) | static_cast<unsigned>(x.reserved << 4) | x.opcode));
  out.push_back(octet((x.mask ? 0x80 : 0) | (size == 0 ? length : size == 2 ? 126 : 127)));
  out += big_endian(length, size);
  if (!x.mask)
    return out + x.payload;
  return out + big_endian(*x.mask, 4) + masked(x.payload, *x.mask);
}

/// A frame as a client sends it.
inline std::string from_client(uint8_t opcode, std::string payload = {}, bool fin = true) {
  return encode({.opcode = opcode, .payload = std::move(payload), .fin = fin, .mask = 0x37FA213DU});
}

/// A frame as a server sends it.
inline std::string from_server(uint8_t opcode, std::string payload = {}, bool fin = true) {
  return encode({.opcode = opcode, .payload = std::move(payload), .fin = fin});
}

inline std::string close_payload(uint16_t code, std::string_view reason = {}) {
  return big_endian(code, 2).append(reason);
}

inline uint64_t read_big_endian(std::string_view in) {
  uint64_t value = 0;
  for (auto c : in)
    value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

/// Cuts a head off the front of `in`; nothing, and `in` as it was, if the head isn't whole.
inline std::optional<frame> take_head(std::string_view& in) {
  auto rest = in;
  auto take = [&rest](size_t n) {
    auto taken = rest.substr(0, n);
    rest.remove_prefix(taken.size());
    return taken;
  };
  if (rest.size() < 2)
    return std::nullopt;
  const auto first = read_big_endian(take(1));
  const auto second = read_big_endian(take(1));
  frame x;
  x.fin = (first & 0x80) != 0;
  x.reserved = static_cast<uint8_t>(first >> 4 & 0x7);
  x.opcode = static_cast<uint8_t>(first & 0xF);
  x.length = second & 0x7F;
  x.length_size = *x.length == 126 ? 2 : *x.length == 127 ? 8 : 0;
  const auto length_size = static_cast<size_t>(*x.length_size);
  const auto masked = (second & 0x80) != 0;
  if (rest.size() < length_size + (masked ? 4 : 0))
    return std::nullopt;
  if (length_size > 0)
    x.length = read_big_endian(take(length_size));
  if (masked)
    x.mask = static_cast<uint32_t>(read_big_endian(take(4)));
  in = rest;
  return x;
}

/// Cuts a frame off the front of `in` and unmasks it; nothing, and `in` as it was, if it isn't
/// whole.
inline std::optional<frame> take_frame(std::string_view& in) {
  auto rest = in;
  auto x = take_head(rest);
  if (!x || *x->length > rest.size())
    return std::nullopt;
  x->payload = rest.substr(0, *x->length);
  if (x->mask)
    x->payload = masked(x->payload, *x->mask);
  in = rest.substr(x->payload.size());
  return x;
}

inline std::string_view to_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

} // namespace tandem::wire
