/// The contract of the pairing.
#pragma once

#include "actors/extension_actor.hpp"
#include "actors/fwd.hpp"

namespace tandem {

/// Binds clients to workers by their key. It learns who lives from monitors alone, so that no ghost
/// stays in a pair.
using pairing_actor = caf::typed_actor<
    // May a connection with this role and key come? Answered to the sender with a verdict. If the
    // answer is yes, the place is kept until `join` or `withdraw` with the same ticket. ADMISSION
    // sends it.
    caf::reacts_to<claim>,
    // The place kept under this ticket isn't needed. ADMISSION sends it.
    caf::reacts_to<atom::withdraw, uint64_t>,
    // A connection is there. It sends this itself, at its start and after `rejoin`.
    caf::reacts_to<atom::join, member>,
    // A host is there. It sends this itself, at its start and after `rejoin`.
    caf::reacts_to<atom::enlist, host_member>,
    // The host with this id has so many slots from now on; channels that it has go on, even if
    // there are more of them. It sends this itself.
    caf::reacts_to<atom::capacity, uint64_t, uint32_t>,
    // The host with this id takes no more channels, and is to be ended when it has none left. It
    // sends this itself.
    caf::reacts_to<atom::drain, uint64_t>,
    // The connection with this id has ended without having heard of a peer, and still holds what
    // it sent ahead. Answered to it with `end`, behind the `bind` if there is a peer. It sends this
    // itself.
    caf::reacts_to<atom::leave, uint64_t>,
    // A HEARTBEAT was started anew: every connection has to join again. SUPERVISOR sends it.
    caf::reacts_to<atom::rejoin>,
    // Tells this extension of every connection's life. SUPERVISOR sends it.
    caf::reacts_to<atom::subscribe, extension_actor>,
    // Some wait for a peer may have run out. It sends this to itself.
    caf::reacts_to<atom::tick>,
    // Refuses every claim from now on and ends every connection. SUPERVISOR sends it.
    caf::reacts_to<atom::shutdown>>;

} // namespace tandem
