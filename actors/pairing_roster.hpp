/// Who is there, as the pairing knows it: what all policies have in common.
#pragma once

#include "actors/messages.hpp"
#include "actors/pairing_actor.hpp"

#include <caf/actor_addr.hpp>
#include <caf/actor_clock.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace tandem {

/// Members and hosts by their ids, which are those of connections and their tickets, too; who waits
/// until when; and the extensions.
class pairing_roster {
public:
  using clock = caf::actor_clock;

  /// A place that is kept for one who may come.
  struct reservation {
    role side;
    uint16_t route;
    std::string key;
    std::string subprotocol;
  };

  explicit pairing_roster(pairing_actor::pointer self) : self_{self} {}

  // -- who may come
  void reserve(uint64_t ticket, reservation place);
  const reservation* find_reservation(uint64_t ticket) const;
  std::optional<reservation> take_reservation(uint64_t ticket);

  // -- who is there
  /// False if it is known already.
  bool add(const member& who);
  bool add(const host_member& who);
  /// Learns of the end of one that may yet join, as `id`.
  void watch(uint64_t id, const connection_actor& who);
  /// Which id the actor with this address has; nothing if it has none. It has none from then on.
  std::optional<uint64_t> remove(const caf::actor_addr& source);
  /// Who had that id; null if it hadn't joined.
  peer_info_ptr remove(uint64_t id);

  bool contains(uint64_t id) const { return members_.contains(id); }
  const member* find(uint64_t id) const;
  member& at(uint64_t id) { return members_.at(id).self; }
  const host_member* find_host(uint64_t id) const;
  /// Null for one that isn't there.
  const peer_info* who(uint64_t id) const;
  /// -1 if that isn't known.
  int32_t home_of(uint64_t id) const;
  /// Of members and hosts.
  std::vector<uint64_t> everybody() const;

  // -- pairs
  /// Tells both of each other, unless they know: then they are a pair from before this pairing was
  /// started anew. They don't wait any more.
  void bind(member& client, member& worker);
  /// One of a pair has gone: tells the one that is left.
  void part(uint64_t left, const peer_info& gone, const ending& how);

  // -- telling them
  template <class... Ts>
  void tell(uint64_t id, const Ts&... what) {
    self_->send(members_.at(id).self.handle, what...);
  }

  void tell_to_open(uint64_t host, uint64_t channel, const peer_info& client);
  void tell_to_rejoin();
  /// It doesn't wait any more.
  void end(uint64_t id, end_reason reason);

  template <class Event>
  void publish(const Event& event) {
    for (const auto& listener : listeners_)
      self_->send(listener, event);
  }

  void subscribe(const extension_actor& listener);
  void unsubscribe(const caf::actor_addr& listener);

  // -- time
  clock::time_point now() const { return self_->clock().now(); }
  /// Nothing changes for a member that waits already.
  void wait(uint64_t id, std::chrono::milliseconds span);
  void stop_waiting(uint64_t id);
  /// One whose time is up, who doesn't wait any more then.
  std::optional<uint64_t> take_expired();
  /// A tick has come.
  void forget_ticks();
  /// Has a tick come at that time, or for the first one who waits.
  void wake_at(clock::time_point when);
  void wake_for_waiting();

  bool empty() const noexcept {
    return reservations_.empty() && members_.empty() && hosts_.empty() && ids_.empty() &&
           waiting_.empty();
  }

private:
  struct entry {
    member self;
    /// The zero of the clock while it doesn't wait.
    clock::time_point waits_until;
  };

  pairing_actor::pointer self_;
  std::unordered_map<uint64_t, reservation> reservations_;
  std::unordered_map<uint64_t, entry> members_;
  std::unordered_map<uint64_t, host_member> hosts_;
  /// Which member or host a monitored actor is.
  std::unordered_map<caf::actor_addr, uint64_t> ids_;
  /// By the time when their waiting ends.
  std::set<std::pair<clock::time_point, uint64_t>> waiting_;
  std::vector<extension_actor> listeners_;
  /// When ticks are to come. Few: CAF's clock takes few of them before it blocks.
  std::set<clock::time_point> ticks_;
};

} // namespace tandem
