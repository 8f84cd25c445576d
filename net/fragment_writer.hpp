/// Writes messages as fragments, into a buffer that may end anywhere in them.
#pragma once

#include "net/frame.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace tandem::net {

/// A message under way, from one buffer to the next.
struct outgoing_message {
  opcode op = opcode::text;
  /// Its payload is what a deflater puts out.
  bool deflated = false;
  /// A fragment of it was written, and the last one wasn't.
  bool begun = false;
  /// The last bytes of the payload so far, up to four, while it is deflated: at its end they are
  /// cut off (RFC 7692, section 7.2.1).
  std::array<std::byte, 4> held_back{};
  uint8_t held_back_size = 0;
};

/// Fills one buffer with whole frames, with a server's heads. Belongs to one thread.
class fragment_writer {
public:
  /// The largest buffer, in bytes: so that the length of a frame takes two.
  static constexpr size_t largest_buffer = size_t{64} << 10;

  /// Goes on with `message`, if that is under way. Both outlive the writer.
  fragment_writer(std::span<std::byte> buffer, outgoing_message& message) noexcept
      : buffer_{buffer}, message_{message} {}

  /// True if there isn't room enough for some more payload.
  bool full() const noexcept;

  /// Where more payload goes, at least 16 bytes. Not to be called when full.
  std::span<std::byte> room() noexcept;

  /// The first `n` bytes of room() are payload now.
  void commit(size_t n) noexcept { fill_ += n; }

  /// Copies as much payload as there is room for; returns how much that is. Not to be called when
  /// full.
  size_t append(std::span<const std::byte> payload) noexcept;

  /// The message ends here. Not to be called when full.
  void end() noexcept;

  /// The message ends here, and its deflater was given nothing.
  void end_empty() noexcept;

  /// The buffer ends here: makes a fragment of what it has of an unfinished message.
  void suspend() noexcept;

  /// Drops what it has of an unfinished message.
  void discard() noexcept;

  /// The frames so far.
  std::span<const std::byte> written() const noexcept { return buffer_.first(used_); }

private:
  size_t payload_size() const noexcept { return fill_ - payload_; }
  void close(bool fin) noexcept;

  std::span<std::byte> buffer_;
  outgoing_message& message_;
  /// Behind the last whole frame.
  size_t used_ = 0;
  /// The payload of the frame behind that, if one is open: where it begins and ends.
  size_t payload_ = 0;
  size_t fill_ = 0;
  bool open_ = false;
};

} // namespace tandem::net
