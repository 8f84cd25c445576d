/// The contract of the admission.
#pragma once

#include "actors/fwd.hpp"

namespace tandem {

/// Answers the front's question whether a peer may come, and spawns its connection. It lives on the
/// front's thread.
using admission_actor = caf::typed_actor<
    // The answer to a claim. PAIRING sends it.
    caf::reacts_to<verdict>,
    // Refuses every peer from now on, and ends once those that were let in before have come.
    // SUPERVISOR sends it.
    caf::reacts_to<atom::shutdown>>;

} // namespace tandem
