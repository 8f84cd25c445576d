/// Where actors find the single ones among them. CAF's registry holds the names, so a restarted
/// actor takes over the old one's.
#pragma once

#include "actors/heartbeat_actor.hpp"
#include "actors/pairing_actor.hpp"

namespace tandem::directory {

/// Any thread. The handle is null while the actor isn't there.
pairing_actor find_pairing(caf::actor_system& system);

/// The heartbeat of the network worker with this index. Any thread. The handle is null while the
/// actor isn't there.
heartbeat_actor find_heartbeat(caf::actor_system& system, size_t home);

void publish(caf::actor_system& system, const pairing_actor& x);
void publish(caf::actor_system& system, size_t home, const heartbeat_actor& x);

/// Forgets all of them, the heartbeats of `homes` network workers.
void clear(caf::actor_system& system, size_t homes);

} // namespace tandem::directory
