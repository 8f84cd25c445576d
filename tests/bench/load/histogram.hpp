/// A histogram of durations whose relative error is bounded, whatever their range.
#pragma once

#include <cstdint>
#include <vector>

namespace tandem::bench {

/// Counts values in log-linear buckets: 128 of equal width to each power of two, so that a value
/// read back is less than 1 % above the one recorded. Its memory (58 KB) doesn't grow with the
/// count.
class histogram {
public:
  histogram();

  /// Counts `value` `times` times.
  void record(uint64_t value, uint64_t times = 1) noexcept;

  /// Adds all that `other` counted.
  void merge(const histogram& other) noexcept;

  uint64_t count() const noexcept { return count_; }

  /// The greatest value recorded, exactly. 0 if there is none.
  uint64_t max() const noexcept { return max_; }

  /// The mean of what was recorded, exactly. 0 if nothing was.
  double mean() const noexcept;

  /// The least value that `percent` % of what was recorded don't exceed, rounded up to its bucket's
  /// end. 0 if nothing was recorded.
  uint64_t percentile(double percent) const noexcept;

private:
  std::vector<uint64_t> buckets_;
  uint64_t count_ = 0;
  uint64_t max_ = 0;
  double sum_ = 0;
};

} // namespace tandem::bench
