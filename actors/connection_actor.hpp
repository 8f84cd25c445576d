/// The contract of a connection.
#pragma once

#include "actors/fwd.hpp"

namespace tandem {

/// A client's or worker's connection, as other actors see it. It lives on the network worker of its
/// socket.
using connection_actor = caf::typed_actor<
    // Delivers a chunk of whole frames. Its bound peer sends it.
    caf::reacts_to<atom::forward, net::chunk>,
    // Returns as many bytes of credit for what it forwarded. Its bound peer sends it.
    caf::reacts_to<atom::credit, uint64_t>,
    // Goes on recoding what its own side has sent. It sends this to itself.
    caf::reacts_to<atom::recode>,
    // The connection waits at this place of a queue, from 1, for a worker of its pool. PAIRING
    // sends it to a framed one, when it comes and now and then while its place changes.
    caf::reacts_to<atom::position, uint32_t>,
    // Starts forwarding to the peer. PAIRING sends it.
    caf::reacts_to<atom::bind, peer_ref>,
    // The peer with this id has ended; all that it forwarded came before. The peer sends it, and
    // PAIRING for one that died without a word.
    caf::reacts_to<atom::peer_end, uint64_t, ending>,
    // Ends the connection with a closing handshake. PAIRING and HEARTBEAT send it.
    caf::reacts_to<atom::end, end_reason>,
    // Sends a ping. HEARTBEAT sends it.
    caf::reacts_to<atom::ping>,
    // Ends itself if nothing was heard since the first ping after the last check. HEARTBEAT sends
    // it when the answer to that is due.
    caf::reacts_to<atom::check>,
    // PAIRING or HEARTBEAT was started anew: joins both again. The one of them that still knows it
    // sends this.
    caf::reacts_to<atom::rejoin>>;

} // namespace tandem
