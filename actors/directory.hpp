/// Where actors find the single ones among them. CAF's registry holds the names, so a restarted
/// actor takes over the old one's.
#pragma once

#include "actors/heartbeat_actor.hpp"
#include "actors/pairing_actor.hpp"

#include <cstdint>
#include <string_view>
#include <vector>

namespace tandem::directory {

/// Which shard of the pairing has to do with this key of that route: always the same one, so that
/// all of a pair, or of a pool, are known to one actor. Any thread.
size_t find_shard(caf::actor_system& system, uint16_t route, std::string_view key);

/// Any thread. The handle is null while the actor isn't there.
pairing_actor find_pairing(caf::actor_system& system, size_t shard);
pairing_actor find_pairing(caf::actor_system& system, uint16_t route, std::string_view key);

/// The heartbeat of the network worker with this index. Any thread. The handle is null while the
/// actor isn't there.
heartbeat_actor find_heartbeat(caf::actor_system& system, size_t home);

/// All shards of the pairing, of which there are always as many.
void publish(caf::actor_system& system, const std::vector<pairing_actor>& shards);
void publish(caf::actor_system& system, size_t home, const heartbeat_actor& x);

/// Forgets all of them, the heartbeats of `homes` network workers.
void clear(caf::actor_system& system, size_t homes);

} // namespace tandem::directory
