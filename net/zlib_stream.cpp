#include "net/zlib_stream.hpp"

#include <algorithm>
#include <new>
#include <stdexcept>
#include <zlib.h>

namespace tandem::net {

namespace {

/// inflate() sets it in data_type at the end of a block.
constexpr int block_ended = 128;

/// zlib's own deflate, told to use 8 bits, once used 9.
constexpr int least_bits = 9;

void check(int result) {
  if (result == Z_MEM_ERROR)
    throw std::bad_alloc{};
  if (result != Z_OK)
    throw std::invalid_argument{"zlib doesn't take these parameters"};
}

/// Lends zlib the buffers of a call. Neither is ever larger than its 32 bits.
void lend(z_stream& to, std::span<const std::byte> in, std::span<std::byte> out) {
  // zlib only reads it, but isn't built to say so.
  to.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(in.data()));
  to.avail_in = static_cast<uInt>(in.size());
  to.next_out = reinterpret_cast<Bytef*>(out.data());
  to.avail_out = static_cast<uInt>(out.size());
}

zlib_step taken(const z_stream& from, std::span<const std::byte> in, std::span<std::byte> out) {
  return {in.size() - from.avail_in, out.size() - from.avail_out};
}

} // namespace

inflater::inflater(int window_bits) : stream_{std::make_unique<z_stream>()} {
  check(inflateInit2(stream_.get(), -std::max(window_bits, least_bits)));
}

inflater::~inflater() {
  inflateEnd(stream_.get());
}

zlib_step inflater::run(std::span<const std::byte> in, std::span<std::byte> out) {
  lend(*stream_, in, out);
  auto result = inflate(stream_.get(), Z_SYNC_FLUSH);
  if (result == Z_MEM_ERROR)
    throw std::bad_alloc{};
  auto step = taken(*stream_, in, out);
  const bool block_over = (stream_->data_type & block_ended) != 0;
  if (result == Z_STREAM_END) {
    ended_ = between_blocks_ = true;
    // Unlike inflateReset, this keeps the window.
    result = inflateResetKeep(stream_.get());
  } else if (step.read > 0 || step.written > 0) {
    ended_ = false;
    between_blocks_ = block_over;
  } else {
    // It may have come to the end of a block that was read before, but not beyond. It forgets that
    // it stands there already.
    between_blocks_ = between_blocks_ || block_over;
  }
  broken_ = result != Z_OK && result != Z_BUF_ERROR;
  return step;
}

deflater::deflater(int level, int window_bits, int memory_level)
    : stream_{std::make_unique<z_stream>()} {
  check(deflateInit2(stream_.get(), level, Z_DEFLATED, -window_bits, memory_level,
                     Z_DEFAULT_STRATEGY));
}

deflater::~deflater() {
  deflateEnd(stream_.get());
}

zlib_step deflater::run(std::span<const std::byte> in, std::span<std::byte> out, bool flush) {
  lend(*stream_, in, out);
  // Its only error here is that it has nothing to do.
  deflate(stream_.get(), flush ? Z_SYNC_FLUSH : Z_NO_FLUSH);
  return taken(*stream_, in, out);
}

} // namespace tandem::net
