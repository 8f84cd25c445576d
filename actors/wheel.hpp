/// A bucket wheel: many timeouts for the price of one timer.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace tandem {

/// Entries that come due after so many ticks. Scheduling and a tick cost the same however many
/// entries there are. Belongs to one thread.
template <class Entry>
class wheel {
public:
  /// For delays of up to `longest` ticks.
  explicit wheel(size_t longest) : buckets_(longest + 1) {}

  /// `entry` comes due with the tick number `delay` from now; 1 is the next one.
  void schedule(Entry entry, size_t delay) {
    auto at = (now_ + std::clamp<size_t>(delay, 1, buckets_.size() - 1)) % buckets_.size();
    buckets_[at].push_back(std::move(entry));
  }

  /// Passes a tick and returns what is due with it.
  std::vector<Entry> tick() {
    now_ = (now_ + 1) % buckets_.size();
    return std::exchange(buckets_[now_], {});
  }

private:
  std::vector<std::vector<Entry>> buckets_;
  size_t now_ = 0;
};

} // namespace tandem
