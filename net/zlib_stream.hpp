/// zlib's raw streams (RFC 1951, without any wrapper), freed with their owners.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

struct z_stream_s;

namespace tandem::net {

/// What a call did with what it was given.
struct zlib_step {
  /// Bytes of the input that are used up.
  size_t read = 0;
  /// Bytes that it put to the front of the output.
  size_t written = 0;
};

/// Undoes DEFLATE, a piece at a time. Takes 2^window_bits bytes and some 10 KiB. Belongs to one
/// thread.
class inflater {
public:
  /// For data whose window has up to so many bits, 8 to 15. Data that refers further back than that
  /// may be broken or not: zlib takes it as far as what the same call put out. Throws
  /// std::bad_alloc.
  explicit inflater(int window_bits);
  ~inflater();
  inflater(const inflater&) = delete;

  /// If it fills all of `out`, more may be to come even with an empty `in`. Blocks behind a final
  /// one are taken as its continuation (RFC 7692, section 7.2.3.4). Throws std::bad_alloc.
  zlib_step run(std::span<const std::byte> in, std::span<std::byte> out);

  /// What was read so far is no DEFLATE. It can't go on.
  bool broken() const noexcept { return broken_; }

  /// What was read so far ends with a whole block.
  bool between_blocks() const noexcept { return between_blocks_; }

  /// What was read so far ends with a final block.
  bool ended() const noexcept { return ended_; }

private:
  std::unique_ptr<z_stream_s> stream_;
  bool broken_ = false;
  bool between_blocks_ = true;
  bool ended_ = false;
};

/// Does DEFLATE, a piece at a time. Takes 2^(window_bits + 2) + 2^(memory_level + 9) bytes. Belongs
/// to one thread.
class deflater {
public:
  /// `level` and `memory_level` are 1 to 9, and `window_bits` 9 to 15. Throws std::bad_alloc.
  deflater(int level, int window_bits, int memory_level);
  ~deflater();
  deflater(const deflater&) = delete;

  /// If it fills all of `out`, there may be more. With `flush`, all that was read comes out, ending
  /// with an empty block without compression, once a call leaves some of `out`; every call needs
  /// room for seven bytes and more.
  zlib_step run(std::span<const std::byte> in, std::span<std::byte> out, bool flush);

private:
  std::unique_ptr<z_stream_s> stream_;
};

} // namespace tandem::net
