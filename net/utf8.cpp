#include "net/utf8.hpp"

#include <cstring>

namespace tandem::net {

namespace {

constexpr uint64_t high_bits = 0x8080808080808080;

uint64_t load_word(const std::byte* from) noexcept {
  uint64_t word;
  std::memcpy(&word, from, sizeof word);
  return word;
}

/// The first byte that isn't ASCII, or the few last ones that fill no word. Four words a turn,
/// since most text is ASCII.
size_t skip_ascii(std::span<const std::byte> bytes) noexcept {
  size_t i = 0;
  for (; i + 32 <= bytes.size(); i += 32) {
    const auto* at = bytes.data() + i;
    if (((load_word(at) | load_word(at + 8) | load_word(at + 16) | load_word(at + 24)) &
         high_bits) != 0)
      break;
  }
  while (i + 8 <= bytes.size() && (load_word(bytes.data() + i) & high_bits) == 0)
    i += 8;
  return i;
}

} // namespace

bool utf8_check::feed(std::span<const std::byte> bytes) noexcept {
  size_t i = 0;
  while (i < bytes.size()) {
    if (missing_ == 0) {
      i += skip_ascii(bytes.subspan(i));
      while (i < bytes.size() && std::to_integer<uint8_t>(bytes[i]) < 0x80)
        ++i;
      if (i == bytes.size())
        return true;
      if (!begin(std::to_integer<uint8_t>(bytes[i++])))
        return false;
      continue;
    }
    auto next = std::to_integer<uint8_t>(bytes[i++]);
    if (next < low_ || next > high_)
      return false;
    low_ = 0x80;
    high_ = 0xBF;
    --missing_;
  }
  return true;
}

bool utf8_check::begin(uint8_t first) noexcept {
  if (first < 0xC2 || first > 0xF4)
    return false;
  missing_ = first < 0xE0 ? 1 : first < 0xF0 ? 2 : 3;
  if (first == 0xE0)
    low_ = 0xA0;
  else if (first == 0xED)
    high_ = 0x9F;
  else if (first == 0xF0)
    low_ = 0x90;
  else if (first == 0xF4)
    high_ = 0x8F;
  return true;
}

} // namespace tandem::net
