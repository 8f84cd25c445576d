#include "actors/directory.hpp"

#include "actors/hash.hpp"

#include <caf/actor_cast.hpp>
#include <caf/actor_registry.hpp>
#include <caf/actor_system.hpp>

#include <utility>

namespace tandem::directory {

namespace {

/// The runtime setting that says how many shards there are.
constexpr auto shards_name = caf::atom("shards");

caf::atom_value pairing_name(size_t shard) {
  return caf::atom_from_string("pair" + std::to_string(shard));
}

size_t count_shards(caf::actor_system& system) {
  auto count = system.runtime_settings().get_or(shards_name, uint64_t{1});
  return static_cast<size_t>(caf::get<uint64_t>(count));
}

caf::atom_value heartbeat_name(size_t home) {
  return caf::atom_from_string("hb" + std::to_string(home));
}

void put(caf::actor_system& system, caf::atom_value name, const caf::strong_actor_ptr& x) {
  // CAF's put leaves a name that is taken with its old actor.
  system.registry().erase(name);
  system.registry().put(name, x);
}

} // namespace

size_t find_shard(caf::actor_system& system, uint16_t route, std::string_view key) {
  const auto shards = count_shards(system);
  return shards == 1 ? 0 : mix(stable_hash(key) + route) % shards;
}

pairing_actor find_pairing(caf::actor_system& system, size_t shard) {
  return caf::actor_cast<pairing_actor>(system.registry().get(pairing_name(shard)));
}

pairing_actor find_pairing(caf::actor_system& system, uint16_t route, std::string_view key) {
  return find_pairing(system, find_shard(system, route, key));
}

heartbeat_actor find_heartbeat(caf::actor_system& system, size_t home) {
  return caf::actor_cast<heartbeat_actor>(system.registry().get(heartbeat_name(home)));
}

void publish(caf::actor_system& system, const std::vector<pairing_actor>& shards) {
  for (size_t i = 0; i < shards.size(); ++i)
    put(system, pairing_name(i), caf::actor_cast<caf::strong_actor_ptr>(shards[i]));
  system.runtime_settings().set(shards_name, uint64_t{shards.size()});
}

void publish(caf::actor_system& system, size_t home, const heartbeat_actor& x) {
  put(system, heartbeat_name(home), caf::actor_cast<caf::strong_actor_ptr>(x));
}

void clear(caf::actor_system& system, size_t homes) {
  for (size_t i = 0; i < count_shards(system); ++i)
    system.registry().erase(pairing_name(i));
  for (size_t i = 0; i < homes; ++i)
    system.registry().erase(heartbeat_name(i));
}

} // namespace tandem::directory
