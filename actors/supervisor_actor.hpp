/// The contract of the supervisor.
#pragma once

#include "actors/fwd.hpp"

namespace tandem {

/// Spawns the broker's single actors, restarts those that die, and orders the shutdown.
using supervisor_actor = caf::typed_actor<
    // Ends every connection. MAIN sends it once the front accepts no more.
    caf::reacts_to<atom::shutdown>,
    // Ends every single actor, and then itself. MAIN sends it once no socket is left.
    caf::reacts_to<atom::end>>;

} // namespace tandem
