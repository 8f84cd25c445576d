/// Which network worker a new pair is given to.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <mutex>
#include <vector>

namespace tandem::net {

/// Spreads pairs by what each worker has to do already: the time that it has lately been busy, then
/// the sockets that it has. So one that a few busy keys keep at work gets no new ones while another
/// is idle. Any thread.
class balancer {
public:
  using clock = std::chrono::steady_clock;

  struct load {
    /// The time that the worker has spent working since its start.
    std::chrono::nanoseconds busy{0};
    size_t sockets = 0;
  };

  /// How long a measure of how busy each is holds.
  static constexpr auto interval = std::chrono::milliseconds{200};

  /// For `workers` of them; `look` tells the load of one.
  balancer(size_t workers, std::function<load(size_t)> look);

  /// The index of the worker for one more pair, at `now`, which doesn't go back.
  size_t choose(clock::time_point now);

private:
  struct place {
    /// Up to the last measure.
    std::chrono::nanoseconds busy_before{0};
    /// In the time before it, as a part of that.
    double busy = 0;
    size_t sockets = 0;
    size_t pairs_since = 0;
  };

  void measure(clock::time_point now);

  std::mutex mutex_;
  std::function<load(size_t)> look_;
  std::vector<place> places_;
  /// What one more pair counts for, as a part of a worker's time.
  double pair_ = 0;
  clock::time_point measured_{};
};

} // namespace tandem::net
