#include "tests/bench/load/histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>

namespace tandem::bench {

namespace {

constexpr int precision_bits = 7;
constexpr uint64_t linear_limit = uint64_t{1} << (precision_bits + 1);
constexpr size_t buckets_per_octave = size_t{1} << precision_bits;
constexpr size_t bucket_count = linear_limit + (64 - precision_bits - 1) * buckets_per_octave;

/// How far a value is shifted so that `precision_bits + 1` bits remain.
int shift_of(uint64_t value) noexcept {
  return value < linear_limit ? 0 : static_cast<int>(std::bit_width(value)) - precision_bits - 1;
}

size_t bucket_of(uint64_t value) noexcept {
  auto shift = shift_of(value);
  return static_cast<size_t>(shift) * buckets_per_octave + static_cast<size_t>(value >> shift);
}

/// The greatest value that falls into the bucket.
uint64_t end_of(size_t bucket) noexcept {
  if (bucket < linear_limit)
    return bucket;
  auto shift = bucket / buckets_per_octave - 1;
  auto top = bucket - shift * buckets_per_octave;
  return (uint64_t{top} << shift) + ((uint64_t{1} << shift) - 1);
}

} // namespace

histogram::histogram() : buckets_(bucket_count) {}

void histogram::record(uint64_t value, uint64_t times) noexcept {
  buckets_[bucket_of(value)] += times;
  count_ += times;
  max_ = std::max(max_, times > 0 ? value : 0);
  sum_ += static_cast<double>(value) * static_cast<double>(times);
}

void histogram::merge(const histogram& other) noexcept {
  std::transform(buckets_.begin(), buckets_.end(), other.buckets_.begin(), buckets_.begin(),
                 std::plus<>{});
  count_ += other.count_;
  max_ = std::max(max_, other.max_);
  sum_ += other.sum_;
}

double histogram::mean() const noexcept {
  return count_ == 0 ? 0 : sum_ / static_cast<double>(count_);
}

uint64_t histogram::percentile(double percent) const noexcept {
  if (count_ == 0)
    return 0;
  auto rank = static_cast<uint64_t>(std::ceil(percent * static_cast<double>(count_) / 100));
  rank = std::clamp<uint64_t>(rank, 1, count_);
  uint64_t seen = 0;
  for (size_t bucket = 0; bucket < buckets_.size(); ++bucket) {
    seen += buckets_[bucket];
    if (seen >= rank)
      return std::min(end_of(bucket), max_);
  }
  return max_;
}

} // namespace tandem::bench
