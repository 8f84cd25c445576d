#include "net/chunk.hpp"

#include <algorithm>
#include <cstring>
#include <new>

namespace tandem::net {

namespace {

/// What a thread counts by itself before it tells the others: they need no cache line of their own
/// for each chunk, and most of what comes to a thread leaves by it.
constexpr int64_t count_step = 64 << 10;

std::atomic<int64_t> counted{0};
std::atomic<int64_t> height{0};
thread_local int64_t uncounted = 0;

void count(int64_t bytes) noexcept {
  uncounted += bytes;
  if (uncounted < count_step && uncounted > -count_step)
    return;
  const auto now = counted.fetch_add(uncounted, std::memory_order_relaxed) + uncounted;
  // Of two threads that are higher at once, it doesn't matter much which is noted.
  if (now > height.load(std::memory_order_relaxed))
    height.store(now, std::memory_order_relaxed);
  uncounted = 0;
}

int64_t size_of(size_t capacity) noexcept {
  return static_cast<int64_t>(sizeof(chunk_block) + capacity);
}

} // namespace

chunk_block* chunk_block::make(size_t capacity) {
  auto* room = ::operator new(sizeof(chunk_block) + capacity);
  count(size_of(capacity));
  return ::new (room) chunk_block{capacity};
}

void intrusive_ptr_add_ref(chunk_block* block) noexcept {
  block->refs_.fetch_add(1, std::memory_order_relaxed);
}

void intrusive_ptr_release(chunk_block* block) noexcept {
  // A lone owner needs no read-modify-write: nobody else can raise the count.
  if (block->refs_.load(std::memory_order_acquire) != 1 &&
      block->refs_.fetch_sub(1, std::memory_order_acq_rel) != 1)
    return;
  count(-size_of(block->capacity));
  block->~chunk_block();
  ::operator delete(block);
}

std::byte* chunk_builder::prepare(size_t n, size_t most) {
  auto used = size();
  if (!block_ || block_->capacity - used < n) {
    auto capacity = std::max(used + n, std::min(most, used * 2));
    chunk_block_ptr grown{chunk_block::make(capacity), false};
    if (used > 0)
      std::memcpy(grown->data(), block_->data(), used);
    grown->size = used;
    block_ = std::move(grown);
  }
  return block_->data() + used;
}

void chunk_builder::append(std::span<const std::byte> bytes) {
  if (bytes.empty())
    return;
  std::memcpy(prepare(bytes.size()), bytes.data(), bytes.size());
  commit(bytes.size());
}

uint64_t buffered_bytes() noexcept {
  return static_cast<uint64_t>(std::max<int64_t>(counted.load(std::memory_order_relaxed), 0));
}

uint64_t take_peak_of_buffered_bytes() noexcept {
  const auto now = counted.load(std::memory_order_relaxed);
  const auto most = height.exchange(now, std::memory_order_relaxed);
  return static_cast<uint64_t>(std::max<int64_t>({most, now, 0}));
}

chunk make_chunk(std::span<const std::byte> bytes) {
  chunk_builder builder{bytes.size()};
  builder.append(bytes);
  return builder.seal();
}

std::string to_string(const chunk& x) {
  return "chunk(" + std::to_string(x.bytes().size()) + " bytes)";
}

} // namespace tandem::net
