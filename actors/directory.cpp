#include "actors/directory.hpp"

#include <caf/actor_cast.hpp>
#include <caf/actor_registry.hpp>
#include <caf/actor_system.hpp>

#include <utility>

namespace tandem::directory {

namespace {

constexpr auto pairing_name = caf::atom("pairing");

caf::atom_value heartbeat_name(size_t home) {
  return caf::atom_from_string("hb" + std::to_string(home));
}

void put(caf::actor_system& system, caf::atom_value name, const caf::strong_actor_ptr& x) {
  // CAF's put leaves a name that is taken with its old actor.
  system.registry().erase(name);
  system.registry().put(name, x);
}

} // namespace

pairing_actor find_pairing(caf::actor_system& system) {
  return caf::actor_cast<pairing_actor>(system.registry().get(pairing_name));
}

heartbeat_actor find_heartbeat(caf::actor_system& system, size_t home) {
  return caf::actor_cast<heartbeat_actor>(system.registry().get(heartbeat_name(home)));
}

void publish(caf::actor_system& system, const pairing_actor& x) {
  put(system, pairing_name, caf::actor_cast<caf::strong_actor_ptr>(x));
}

void publish(caf::actor_system& system, size_t home, const heartbeat_actor& x) {
  put(system, heartbeat_name(home), caf::actor_cast<caf::strong_actor_ptr>(x));
}

void clear(caf::actor_system& system, size_t homes) {
  system.registry().erase(pairing_name);
  for (size_t i = 0; i < homes; ++i)
    system.registry().erase(heartbeat_name(i));
}

} // namespace tandem::directory
