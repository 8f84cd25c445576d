/// The pairing: binds clients to workers by key.
#pragma once

#include "actors/messages.hpp"
#include "actors/pairing_actor.hpp"
#include "actors/pairing_options.hpp"
#include "actors/pairing_policy.hpp"
#include "actors/pairing_roster.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/system_messages.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace tandem {

/// Keeps the roster, and leaves it to each route's policy who is paired with whom.
class pairing_state {
public:
  using pointer = pairing_actor::pointer;

  static inline const char* name = "pairing";

  explicit pairing_state(pointer self) : self_{self}, roster_{self} {}

  /// `routes` has what each route goes by, by its index.
  void start(const std::vector<pairing_options>& routes);

  // -- messages, as the contract has them
  verdict decide(const claim& request);
  void withdraw(uint64_t ticket);
  void join(const member& who);
  void enlist(const host_member& who);
  void resize(uint64_t host, uint32_t slots);
  void drain(uint64_t host);
  void leave(uint64_t id);
  void rejoin() { roster_.tell_to_rejoin(); }
  void subscribe(const extension_actor& listener) { roster_.subscribe(listener); }
  void tick();
  void shutdown();

  /// Nothing is left of anybody: no member, no kept place, no wait.
  bool empty() const noexcept;

private:
  pairing_policy& policy_of(const peer_info& who) { return *policies_.at(who.route); }
  bool welcome(const peer_info& who, const std::optional<pairing_roster::reservation>& place);
  void on_down(const caf::down_msg& down);

  pointer self_;
  pairing_roster roster_;
  /// By the index of the route.
  std::vector<std::unique_ptr<pairing_policy>> policies_;
  bool draining_ = false;
};

pairing_actor::behavior_type pairing(pairing_actor::stateful_pointer<pairing_state> self,
                                     const std::vector<pairing_options>& routes);

} // namespace tandem
