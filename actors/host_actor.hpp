/// The contract of a host.
#pragma once

#include "actors/fwd.hpp"

namespace tandem {

/// The connection of a framed worker that serves many clients, each over a channel. A channel is a
/// connection_actor as any other, of side worker; `host` of its peer_info is this one's id. The
/// host lives on the network worker of its socket, and so do its channels. If it ends, it ends
/// before its channels do: or else PAIRING would give their clients other channels of it.
using host_actor = caf::typed_actor<
    // Opens the channel with this id for that client: spawns its connection, which joins PAIRING by
    // itself. It always does, if it hasn't ended. PAIRING sends it.
    caf::reacts_to<atom::open, uint64_t, peer_info>,
    // Ends the connection, with a closing handshake, and all of its channels. PAIRING and HEARTBEAT
    // send it.
    caf::reacts_to<atom::end, end_reason>,
    // Sends a ping. HEARTBEAT sends it.
    caf::reacts_to<atom::ping>,
    // Ends itself if nothing was heard since the first ping after the last check. HEARTBEAT sends
    // it when the answer to that is due.
    caf::reacts_to<atom::check>,
    // PAIRING or HEARTBEAT was started anew: joins both again, PAIRING by `enlist`, and passes this
    // on to its channels. The one of them that still knows it sends this.
    caf::reacts_to<atom::rejoin>>;

} // namespace tandem
