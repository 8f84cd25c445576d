#include "net/balancer.hpp"

#include <algorithm>
#include <utility>

namespace tandem::net {

namespace {

/// What an idle socket counts for, as a part of a worker's time: a heartbeat now and then.
constexpr double idle_socket = 1e-5;

} // namespace

balancer::balancer(size_t workers, std::function<load(size_t)> look)
    : look_{std::move(look)}, places_(workers) {}

size_t balancer::choose(clock::time_point now) {
  const std::lock_guard guard{mutex_};
  if (now - measured_ >= interval)
    measure(now);
  const auto chosen = std::ranges::min_element(places_, {}, [&](const place& x) {
    return x.busy + static_cast<double>(x.sockets) * idle_socket +
           static_cast<double>(x.pairs_since) * pair_;
  });
  ++chosen->pairs_since;
  return static_cast<size_t>(chosen - places_.begin());
}

void balancer::measure(clock::time_point now) {
  const std::chrono::duration<double> passed = now - measured_;
  const bool first = measured_ == clock::time_point{};
  double all_busy = 0;
  size_t all_sockets = 0;
  for (size_t i = 0; i < places_.size(); ++i) {
    auto& place = places_[i];
    const auto now_there = look_(i);
    const std::chrono::duration<double> worked =
        now_there.busy - std::exchange(place.busy_before, now_there.busy);
    place.busy = first ? 0 : std::clamp(worked / passed, 0.0, 1.0);
    place.sockets = now_there.sockets;
    place.pairs_since = 0;
    all_busy += place.busy;
    all_sockets += place.sockets;
  }
  // New ones will be as busy as those that are there, for all that is known.
  pair_ =
      2 * std::max(idle_socket, all_busy / static_cast<double>(std::max<size_t>(all_sockets, 1)));
  measured_ = now;
}

} // namespace tandem::net
