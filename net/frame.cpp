#include "net/frame.hpp"

#include <cstring>

namespace tandem::net {

namespace {

/// As many words as are masked at once: GCC and Clang make vector instructions of them.
using wide [[gnu::vector_size(16)]] = uint64_t;

uint64_t load_big_endian(const std::byte* in, size_t n) noexcept {
  uint64_t value = 0;
  for (size_t i = 0; i < n; ++i)
    value = value << 8 | std::to_integer<uint64_t>(in[i]);
  return value;
}

void store_big_endian(uint64_t value, std::byte* out, size_t n) noexcept {
  for (size_t i = n; i-- > 0; value >>= 8)
    out[i] = static_cast<std::byte>(value & 0xFF);
}

} // namespace

size_t write_head(const frame_head& head, std::byte* out) noexcept {
  out[0] = static_cast<std::byte>((head.fin ? 0x80 : 0) | (head.reserved & 0x7) << 4 |
                                  static_cast<uint8_t>(head.op));
  auto masked = std::byte{head.mask ? uint8_t{0x80} : uint8_t{0}};
  size_t n = 2;
  if (head.length < 126) {
    out[1] = masked | static_cast<std::byte>(head.length);
  } else if (head.length <= 0xFFFF) {
    out[1] = masked | std::byte{126};
    store_big_endian(head.length, out + 2, 2);
    n = 4;
  } else {
    out[1] = masked | std::byte{127};
    store_big_endian(head.length, out + 2, 8);
    n = 10;
  }
  if (head.mask) {
    std::memcpy(out + n, head.mask->data(), 4);
    n += 4;
  }
  return n;
}

frame_head read_head(const std::byte* in) noexcept {
  auto first = std::to_integer<uint8_t>(in[0]);
  auto second = std::to_integer<uint8_t>(in[1]);
  frame_head head;
  head.fin = (first & 0x80) != 0;
  head.reserved = static_cast<uint8_t>(first >> 4 & 0x7);
  head.op = static_cast<opcode>(first & 0xF);
  head.length = second & 0x7F;
  const auto* next = in + 2;
  if (head.length == 126) {
    head.length = load_big_endian(next, 2);
    next += 2;
  } else if (head.length == 127) {
    head.length = load_big_endian(next, 8);
    next += 8;
  }
  if ((second & 0x80) != 0) {
    mask_key key;
    std::memcpy(key.data(), next, 4);
    head.mask = key;
  }
  return head;
}

void apply_mask(const std::byte* in, std::byte* out, size_t n, mask_key key,
                size_t phase) noexcept {
  mask_key turned;
  for (size_t i = 0; i < 4; ++i)
    turned[i] = key[(i + phase) % 4];
  uint32_t half;
  std::memcpy(&half, turned.data(), 4);
  const uint64_t word = uint64_t{half} << 32 | half;
  size_t i = 0;
  for (; i + sizeof(wide) <= n; i += sizeof(wide)) {
    wide block;
    std::memcpy(&block, in + i, sizeof block);
    block ^= word;
    std::memcpy(out + i, &block, sizeof block);
  }
  for (; i + 8 <= n; i += 8) {
    uint64_t piece;
    std::memcpy(&piece, in + i, 8);
    piece ^= word;
    std::memcpy(out + i, &piece, 8);
  }
  for (; i < n; ++i)
    out[i] = in[i] ^ turned[i % 4];
}

} // namespace tandem::net
