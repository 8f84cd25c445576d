/// Checks UTF-8 as it arrives.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace tandem::net {

/// Checks one text, given in any pieces (RFC 3629; RFC 6455, section 8.1). Belongs to one thread.
class utf8_check {
public:
  /// False as soon as nothing that may follow could make the text valid. After that the check is of
  /// no more use.
  bool feed(std::span<const std::byte> bytes) noexcept;

  /// True if the text may end here.
  bool complete() const noexcept { return missing_ == 0; }

private:
  bool begin(uint8_t first) noexcept;

  /// Continuation bytes that the character still needs, and the range of the next one: the narrower
  /// ranges keep out overlong forms, surrogates and all beyond U+10FFFF.
  uint8_t missing_ = 0;
  uint8_t low_ = 0x80;
  uint8_t high_ = 0xBF;
};

} // namespace tandem::net
