/// What all have in common that a heartbeat watches.
#pragma once

#include "actors/fwd.hpp"

namespace tandem {

/// A connection or a host, as a heartbeat sees it.
using watched_actor = caf::typed_actor<
    // Sends a ping. HEARTBEAT sends it.
    caf::reacts_to<atom::ping>,
    // Ends itself if nothing was heard since the first ping after the last check. HEARTBEAT sends
    // it when the answer to that is due.
    caf::reacts_to<atom::check>,
    // Joins PAIRING and HEARTBEAT again. HEARTBEAT sends it.
    caf::reacts_to<atom::rejoin>>;

} // namespace tandem
