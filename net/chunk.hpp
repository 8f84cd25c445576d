/// The unit in which bytes move between the two ends of a pair.
#pragma once

#include <caf/error.hpp>
#include <caf/intrusive_ptr.hpp>
#include <caf/meta/load_callback.hpp>
#include <caf/meta/type_name.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace tandem::net {

/// A block of bytes with its counts in front; made by chunk_builder alone.
class chunk_block {
public:
  /// Allocates a block with room for `capacity` bytes. Throws std::bad_alloc.
  static chunk_block* make(size_t capacity);

  std::byte* data() noexcept { return reinterpret_cast<std::byte*>(this + 1); }

  size_t capacity;
  size_t size = 0;

  friend void intrusive_ptr_add_ref(chunk_block* block) noexcept;
  friend void intrusive_ptr_release(chunk_block* block) noexcept;

private:
  explicit chunk_block(size_t n) noexcept : capacity{n} {}

  std::atomic<size_t> refs_{1};
};

using chunk_block_ptr = caf::intrusive_ptr<chunk_block>;

/// An immutable, reference-counted run of whole frames without masks, ready for the wire. Copies
/// share the bytes. Any thread may read it.
class chunk {
public:
  chunk() = default;

  std::span<const std::byte> bytes() const noexcept {
    return block_ ? std::span<const std::byte>{block_->data(), block_->size}
                  : std::span<const std::byte>{};
  }

  bool empty() const noexcept { return !block_ || block_->size == 0; }

  /// The memory that it holds, in bytes: what credit is counted in.
  size_t cost() const noexcept { return block_ ? sizeof(chunk_block) + block_->capacity : 0; }

private:
  friend class chunk_builder;

  explicit chunk(chunk_block_ptr block) noexcept : block_{std::move(block)} {}

  chunk_block_ptr block_;
};

/// Fills the bytes of one chunk. Belongs to one thread.
class chunk_builder {
public:
  chunk_builder() = default;

  /// With room for `capacity` bytes. Throws std::bad_alloc.
  explicit chunk_builder(size_t capacity) : block_{chunk_block::make(capacity), false} {}

  size_t size() const noexcept { return block_ ? block_->size : 0; }

  /// The memory that it holds, in bytes.
  size_t cost() const noexcept { return block_ ? sizeof(chunk_block) + block_->capacity : 0; }

  /// Room for `n` bytes behind those that are there, growing geometrically up to `most` bytes in
  /// all; commit() makes them part of the chunk. Throws std::bad_alloc.
  std::byte* prepare(size_t n, size_t most = SIZE_MAX);

  void commit(size_t n) noexcept { block_->size += n; }

  /// Drops all behind the first `n` bytes.
  void truncate(size_t n) noexcept {
    if (block_)
      block_->size = n;
  }

  std::byte* data() noexcept { return block_->data(); }

  explicit operator bool() const noexcept { return block_ != nullptr; }

  void append(std::span<const std::byte> bytes);

  /// Ends the filling and leaves the builder empty.
  chunk seal() noexcept { return chunk{std::move(block_)}; }

private:
  chunk_block_ptr block_;
};

/// The memory that all chunks of the process hold, in bytes, to within 64 KiB for each thread that
/// makes or frees them. Any thread.
uint64_t buffered_bytes() noexcept;

/// The most that buffered_bytes() was since the last call of this. Any thread.
uint64_t take_peak_of_buffered_bytes() noexcept;

/// A chunk with a copy of `bytes`. Throws std::bad_alloc.
chunk make_chunk(std::span<const std::byte> bytes);

/// What logs show: a payload is never printed.
std::string to_string(const chunk& x);

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, chunk& x) {
  std::string copy;
  if constexpr (Inspector::reads_state) {
    auto bytes = x.bytes();
    copy.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  auto load = [&]() -> caf::error {
    x = make_chunk(std::as_bytes(std::span{copy}));
    return {};
  };
  return f(caf::meta::type_name("chunk"), copy, caf::meta::load_callback(load));
}

} // namespace tandem::net
