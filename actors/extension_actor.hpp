/// The contract of an extension: what users write.
#pragma once

#include "actors/fwd.hpp"

namespace tandem {

/// An actor of the user's that learns of every connection's life. PAIRING sends all of this, in
/// order for each key. An extension may take its time: each has a thread of its own and delays
/// nobody.
using extension_actor = caf::typed_actor<
    // A client or worker has connected.
    caf::reacts_to<connected>,
    // A client and a worker were bound to each other.
    caf::reacts_to<paired>,
    // A pair came apart, since one of the two ended.
    caf::reacts_to<unpaired>,
    // A connection has ended, and why.
    caf::reacts_to<disconnected>>;

} // namespace tandem
