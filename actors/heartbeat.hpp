/// A heartbeat: pings the connections of one network worker.
#pragma once

#include "actors/heartbeat_actor.hpp"
#include "actors/messages.hpp"
#include "actors/wheel.hpp"
#include "net/home.hpp"
#include "net/pinned.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <chrono>
#include <cstdint>
#include <random>
#include <unordered_map>

namespace tandem {

struct heartbeat_options {
  /// From one ping to the next; 0 for none.
  std::chrono::milliseconds client_interval{30000};
  std::chrono::milliseconds worker_interval{30000};
  /// From a ping's sending to the latest sign of life.
  std::chrono::milliseconds timeout{20000};

  /// The span of one tick: short beside the intervals, and long enough to let an idle broker sleep.
  std::chrono::milliseconds tick() const;
};

class heartbeat_state {
public:
  using base = net::pinned<heartbeat_actor::base>;

  static inline const char* name = "heartbeat";

  heartbeat_state(base* self, net::home& where, const heartbeat_options& options);

  // -- messages, as the contract has them
  void join(uint64_t id, role side, const watched_actor& connection);
  void leave(uint64_t id);
  void tick();
  void rejoin();

private:
  struct watched {
    watched_actor connection;
    /// In ticks; 0 for one that isn't pinged, but has to learn of a new PAIRING all the same.
    size_t interval;
    /// A ping was sent whose answer is not yet due.
    bool checking = false;
  };

  struct due {
    uint64_t id;
    /// The answer to a ping is due, not the next ping.
    bool check;
  };

  size_t in_ticks(std::chrono::milliseconds span) const;
  size_t spread(size_t ticks);
  void keep_ticking();

  base* self_;
  net::home& home_;
  heartbeat_options options_;
  std::unordered_map<uint64_t, watched> watched_;
  /// How many of them are pinged.
  size_t pinged_ = 0;
  wheel<due> wheel_;
  std::minstd_rand random_{std::random_device{}()};
  bool ticking_ = false;
};

class heartbeat final : public heartbeat_state::base {
public:
  heartbeat(caf::actor_config& cfg, net::home& where, const heartbeat_options& options);

  const char* name() const override { return heartbeat_state::name; }
  behavior_type make_behavior() override;

private:
  heartbeat_state state_;
};

} // namespace tandem
