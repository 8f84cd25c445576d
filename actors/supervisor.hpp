/// The supervisor: the root of tandem's actors.
#pragma once

#include "actors/admission_actor.hpp"
#include "actors/connection.hpp"
#include "actors/heartbeat.hpp"
#include "actors/pairing.hpp"
#include "actors/registry.hpp"
#include "actors/supervisor_actor.hpp"
#include "net/gate.hpp"

#include <caf/actor_addr.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/system_messages.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace tandem {

/// What the supervisor builds the broker from. The homes and the gate outlive all actors.
struct broker_parts {
  std::vector<std::reference_wrapper<net::home>> homes;
  std::reference_wrapper<net::gate> gate;
  /// By the indices of the routes, of which there is at least one.
  std::vector<connection_options_by_role> connections;
  heartbeat_options heartbeats;
  /// By the index of the route; at least one.
  std::vector<pairing_options> pairs;
  /// Actors that the pairing is spread over, by key.
  size_t shards = 1;
  /// Those that the config names.
  extension_registry extensions;
};

class supervisor_state {
public:
  using pointer = supervisor_actor::pointer;

  static inline const char* name = "supervisor";

  explicit supervisor_state(pointer self) : self_{self} {}

  void start(broker_parts parts);

  // -- messages, as the contract has them
  void shutdown();
  void end();

private:
  void start_pairing(size_t shard);
  void start_heartbeat(size_t home);
  void start_admission();
  void start_extension(const std::string& extension);
  void watch(const caf::strong_actor_ptr& child, std::string title, std::function<void()> restart);
  void on_down(const caf::down_msg& down);

  struct child {
    std::string title;
    std::function<void()> restart;
  };

  pointer self_;
  std::unique_ptr<broker_parts> parts_;
  /// The shards.
  std::vector<pairing_actor> pairings_;
  admission_actor admission_;
  std::vector<heartbeat_actor> heartbeats_;
  std::map<std::string, extension_actor> extensions_;
  std::map<caf::actor_addr, child> children_;
  /// How often a child was started anew, by its title.
  std::map<std::string, int> restarts_;
  bool stopping_ = false;
};

supervisor_actor::behavior_type
supervisor(supervisor_actor::stateful_pointer<supervisor_state> self,
           const std::shared_ptr<broker_parts>& parts);

} // namespace tandem
