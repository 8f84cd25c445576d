/// Frame heads, masks and close payloads of RFC 6455: the pieces that decoder, encoder and tools
/// share.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace tandem::net {

/// What a frame carries (RFC 6455, section 5.2).
enum class opcode : uint8_t {
  continuation = 0x0,
  text = 0x1,
  binary = 0x2,
  close = 0x8,
  ping = 0x9,
  pong = 0xA,
};

/// True for close, ping and pong (section 5.5).
constexpr bool is_control(opcode op) noexcept {
  return (static_cast<uint8_t>(op) & 0x8) != 0;
}

/// The longest head: 2 bytes, 8 of extended length, 4 of mask.
inline constexpr size_t max_head_size = 14;

/// RSV1 in frame_head::reserved: the message is compressed (RFC 7692, section 6).
inline constexpr uint8_t compressed_bit = 0x4;

/// The most that a control frame may carry (section 5.5), in bytes.
inline constexpr size_t max_control_payload = 125;

/// The four bytes of a mask, in the order of the wire.
using mask_key = std::array<std::byte, 4>;

/// A frame's head, as it stands on the wire.
struct frame_head {
  opcode op = opcode::continuation;
  bool fin = true;
  /// The three reserved bits, RSV1 the highest (0x4).
  uint8_t reserved = 0;
  /// Payload in bytes.
  uint64_t length = 0;
  /// Present on what a client sends, absent on what a server sends.
  std::optional<mask_key> mask;
};

/// Writes `head` to `out`, which has room for `max_head_size` bytes, with the shortest length
/// encoding. Returns the bytes written (2 to 14). Any thread.
size_t write_head(const frame_head& head, std::byte* out) noexcept;

/// Bytes of the head that begins with the two bytes `first` and `second`: 2 to 14.
constexpr size_t head_size(std::byte, std::byte second) noexcept {
  auto length = std::to_integer<unsigned>(second) & 0x7F;
  auto masked = (std::to_integer<unsigned>(second) & 0x80) != 0;
  return 2 + (length == 126 ? 2U : length == 127 ? 8U : 0U) + (masked ? 4U : 0U);
}

/// Reads a whole head from `in`, which holds at least `head_size` bytes. Judges nothing: reserved
/// bits, opcodes and lengths come out as they are. Any thread.
frame_head read_head(const std::byte* in) noexcept;

/// Copies `n` bytes from `in` to `out` and applies `key` from its byte `phase % 4` on
/// (section 5.3), eight bytes at a time. `in` and `out` may be the same, but not overlap otherwise.
/// Masking and unmasking are the same act. Any thread.
void apply_mask(const std::byte* in, std::byte* out, size_t n, mask_key key, size_t phase) noexcept;

/// True if a close frame with this code may stand on the wire (section 7.4; 1012 to 1014 by IANA's
/// registry).
constexpr bool is_valid_close_code(uint16_t code) noexcept {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
         (code >= 3000 && code <= 4999);
}

} // namespace tandem::net
