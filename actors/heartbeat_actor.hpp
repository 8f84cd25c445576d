/// The contract of a heartbeat.
#pragma once

#include "actors/fwd.hpp"
#include "actors/watched_actor.hpp"

namespace tandem {

/// Pings the connections of one network worker, on which it lives, and has them checked when the
/// answer is due.
using heartbeat_actor = caf::typed_actor<
    // Watches a connection, known by its id, at the interval of its role. The connection sends it;
    // for a host's channels, the host does.
    caf::reacts_to<atom::join, uint64_t, role, watched_actor>,
    // The connection with this id has ended. It sends this as its last word.
    caf::reacts_to<atom::leave, uint64_t>,
    // One tick of the wheel has passed. A timer of its network worker sends it.
    caf::reacts_to<atom::tick>,
    // A new PAIRING took over: every connection has to join it. SUPERVISOR sends it.
    caf::reacts_to<atom::rejoin>>;

} // namespace tandem
