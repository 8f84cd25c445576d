/// The pairing: binds clients to workers by key.
#pragma once

#include "actors/messages.hpp"
#include "actors/pairing_actor.hpp"
#include "actors/pairing_options.hpp"

#include <caf/actor_addr.hpp>
#include <caf/actor_clock.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/system_messages.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace tandem {

/// Mode `exclusive`: one client and one worker for each key, whichever comes first.
class pairing_state {
public:
  using pointer = pairing_actor::pointer;

  static inline const char* name = "pairing";

  explicit pairing_state(pointer self) : self_{self} {}

  /// `routes` has what each route goes by, by its index.
  void start(const std::vector<pairing_options>& routes);

  // -- messages, as the contract has them
  verdict decide(const claim& request);
  void withdraw(uint64_t ticket);
  void join(const member& who);
  void enlist(const host_member& who);
  void leave(uint64_t id);
  void rejoin();
  void subscribe(const extension_actor& listener);
  void tick();
  void shutdown();

  /// Nothing is left of anybody: no member, no kept place, no wait.
  bool empty() const noexcept {
    return slots_.empty() && reservations_.empty() && members_.empty() && ids_.empty() &&
           waiting_.empty();
  }

private:
  using clock = caf::actor_clock;

  /// One side of a key. Ids are those of connections, which are their tickets too; 0 for none.
  struct seat {
    /// The connection that sits here.
    uint64_t holder = 0;
    /// Whoever sits down once the holder has gone; its connection may still be to come.
    uint64_t next = 0;
    /// The holder was told to end, or ends by itself.
    bool leaving = false;
  };

  struct slot {
    seat seats[2];
    bool bound = false;

    seat& of(role side) { return seats[static_cast<size_t>(side)]; }
  };

  /// A route's index, and a key of that route's.
  using address = std::pair<uint16_t, std::string>;
  using slot_map = std::map<address, slot>;

  struct reservation {
    role side;
    address where;
    std::string subprotocol;
  };

  struct entry {
    member self;
    /// The zero of the clock while it doesn't wait.
    clock::time_point waits_until;
  };

  std::string agree(slot& pair, const claim& request) const;
  const std::string* subprotocol_of(const seat& x) const;
  void on_down(const caf::down_msg& down);
  void vacate(slot_map::iterator at, const peer_info& gone, const ending& how);
  void settle(slot_map::iterator at);
  void bind(slot& pair);
  void part(slot& pair, const peer_info& gone, const ending& how);
  void wait(uint64_t id);
  void stop_waiting(uint64_t id);
  void schedule_tick();
  void end(uint64_t id, end_reason reason);

  template <class Event>
  void publish(const Event& event) {
    for (const auto& listener : listeners_)
      self_->send(listener, event);
  }

  pointer self_;
  /// By the indices of the routes.
  std::vector<pairing_options> routes_;
  slot_map slots_;
  std::unordered_map<uint64_t, reservation> reservations_;
  std::unordered_map<uint64_t, entry> members_;
  /// Which member a monitored actor is.
  std::unordered_map<caf::actor_addr, uint64_t> ids_;
  /// By the time when their waiting ends.
  std::set<std::pair<clock::time_point, uint64_t>> waiting_;
  std::vector<extension_actor> listeners_;
  /// When the earliest tick comes that is on its way; the zero of the clock if none is.
  clock::time_point next_tick_;
  bool draining_ = false;
};

pairing_actor::behavior_type pairing(pairing_actor::stateful_pointer<pairing_state> self,
                                     const std::vector<pairing_options>& routes);

} // namespace tandem
