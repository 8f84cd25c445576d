/// What the messages of a run say: bytes that either end can make, and check, piece by piece.
#pragma once

#include "net/frame.hpp"
#include "tests/bench/load/sizes.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace tandem::bench {

/// Which way a message goes.
enum class direction : uint8_t { to_worker, to_client };

/// The content of one message: a function from its seed and an offset to a byte. Nothing is stored,
/// so a message may be of any size.
class payload {
public:
  /// What a payload of `stored` bytes has beside what it stores.
  static constexpr uint64_t stored_overhead = 6;
  static constexpr uint64_t most_stored = 65535 + stored_overhead;

  /// `text` makes it UTF-8 with characters of one to four bytes, otherwise any bytes. `stored`
  /// makes it a compressed message of that size (RFC 7692, section 7.2.3.3): the bytes stand in a
  /// block without compression, and `size` is `stored_overhead` to `most_stored`.
  payload(uint64_t seed, uint64_t size, bool text, bool stored = false) noexcept;

  uint64_t size() const noexcept { return size_; }

  /// Writes the bytes from `offset` on, as many as `out` has, which is at most `size() - offset`.
  void write(uint64_t offset, std::span<std::byte> out) const noexcept;

  /// The offset of the first byte in which `in` differs from this message's bytes from `offset` on.
  /// What lies beyond `size()` differs.
  std::optional<uint64_t> first_difference(uint64_t offset,
                                           std::span<const std::byte> in) const noexcept;

private:
  uint64_t word(uint64_t index) const noexcept;
  uint64_t as_stored(uint64_t word, uint64_t index) const noexcept;

  template <class Part, class Word>
  void walk(uint64_t offset, size_t n, Part on_part, Word on_word) const noexcept;

  uint64_t seed_;
  uint64_t size_;
  bool text_;
  bool stored_;
};

/// All that decides what is sent, other than when.
struct script {
  size_mix sizes{128};
  bool text = false;
  /// The most that a frame carries, in bytes. 0: every message is one frame.
  uint64_t fragment = 0;
  /// Every message is sent as compressed, its size that on the wire.
  bool compressed = false;

  net::opcode opcode() const noexcept { return text ? net::opcode::text : net::opcode::binary; }

  /// Message `sequence` of `pair` in a direction. The two directions say different things, so that
  /// a relay that sends a message back to its sender is found out.
  payload message(uint64_t pair, direction way, uint64_t sequence) const noexcept;
};

} // namespace tandem::bench
