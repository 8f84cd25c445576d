#include "actors/heartbeat.hpp"

#include <algorithm>
#include <utility>

namespace tandem {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds shortest_tick{10};
constexpr milliseconds longest_tick{1000};

/// Ticks that the shortest span is divided into.
constexpr int resolution = 10;

/// Intervals vary by this part of themselves, so that connections that came together aren't pinged
/// together for ever.
constexpr size_t jitter_divisor = 10;

} // namespace

milliseconds heartbeat_options::tick() const {
  auto shortest = timeout;
  for (auto interval : {client_interval, worker_interval})
    if (interval.count() > 0)
      shortest = std::min(shortest, interval);
  return std::clamp(shortest / resolution, shortest_tick, longest_tick);
}

heartbeat_state::heartbeat_state(base* self, net::home& where, const heartbeat_options& options)
    : self_{self}, home_{where}, options_{options},
      wheel_{
          in_ticks(std::max({options.client_interval, options.worker_interval, options.timeout})) *
              2 +
          2} {}

void heartbeat_state::join(uint64_t id, role side, const watched_actor& connection) {
  auto interval = side == role::client ? options_.client_interval : options_.worker_interval;
  auto ticks = interval.count() == 0 ? size_t{0} : in_ticks(interval);
  if (!watched_.try_emplace(id, watched{connection, ticks}).second || ticks == 0)
    return;
  ++pinged_;
  // The first ping comes anywhere within the interval: a crowd that connects at once is spread out.
  wheel_.schedule({id, false}, 1 + random_() % ticks);
  keep_ticking();
}

void heartbeat_state::leave(uint64_t id) {
  auto at = watched_.find(id);
  if (at == watched_.end())
    return;
  if (at->second.interval > 0)
    --pinged_;
  // Its entry in the wheel finds nobody when it comes due.
  watched_.erase(at);
}

void heartbeat_state::tick() {
  ticking_ = false;
  for (const auto& entry : wheel_.tick()) {
    auto at = watched_.find(entry.id);
    if (at == watched_.end())
      continue;
    auto& [connection, interval, checking] = at->second;
    if (entry.check) {
      checking = false;
      self_->send(connection, atom::check::value);
      continue;
    }
    self_->send(connection, atom::ping::value);
    wheel_.schedule({entry.id, false}, spread(interval));
    // Pings that follow within the timeout don't put the deadline off. The tick under way doesn't
    // count: the deadline is never early.
    if (!std::exchange(checking, true))
      wheel_.schedule({entry.id, true}, in_ticks(options_.timeout) + 1);
  }
  keep_ticking();
}

void heartbeat_state::rejoin() {
  for (const auto& [id, entry] : watched_)
    self_->send(entry.connection, atom::rejoin::value);
}

size_t heartbeat_state::in_ticks(milliseconds span) const {
  auto tick = options_.tick();
  return std::max<size_t>(1, static_cast<size_t>((span + tick - milliseconds{1}) / tick));
}

size_t heartbeat_state::spread(size_t ticks) {
  auto span = ticks / jitter_divisor;
  return ticks - span + random_() % (2 * span + 1);
}

void heartbeat_state::keep_ticking() {
  if (ticking_ || pinged_ == 0)
    return;
  ticking_ = true;
  home_.call_after(options_.tick(), [address = self_->address()] {
    if (auto self = caf::actor_cast<caf::strong_actor_ptr>(address))
      caf::anon_send(caf::actor_cast<heartbeat_actor>(self), atom::tick::value);
  });
}

heartbeat::heartbeat(caf::actor_config& cfg, net::home& where, const heartbeat_options& options)
    : heartbeat_state::base{cfg, where}, state_{this, where, options} {}

heartbeat::behavior_type heartbeat::make_behavior() {
  return {
      [this](atom::join, uint64_t id, role side, const watched_actor& connection) {
        state_.join(id, side, connection);
      },
      [this](atom::leave, uint64_t id) { state_.leave(id); },
      [this](atom::tick) { state_.tick(); },
      [this](atom::rejoin) { state_.rejoin(); },
  };
}

} // namespace tandem
