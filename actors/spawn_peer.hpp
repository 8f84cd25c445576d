/// From a socket to the actor that owns it.
#pragma once

#include "actors/connection.hpp"
#include "actors/messages.hpp"
#include "net/link.hpp"
#include "net/multiplexer.hpp"

#include <caf/actor_system.hpp>

#include <memory>

namespace tandem {

/// What a framed peer is told, and held to.
net::multiplexer_options framed_options(const peer_info& who, const connection_options& options);

/// Spawns the actor of a peer that has come: a host for a framed worker that serves many clients, a
/// connection for any other.
void spawn_peer(caf::actor_system& system, net::link_ptr socket, peer_info who,
                const std::shared_ptr<const connection_options>& options);

} // namespace tandem
