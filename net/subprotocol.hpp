/// Subprotocols (RFC 6455, section 1.9): the application's, and tandem's own.
#pragma once

#include "actors/messages.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tandem::net {

/// The subprotocols in `offered` that are accepted, in the client's order, which is that of its
/// preference. `offered` is the value of Sec-WebSocket-Protocol, several fields joined by commas.
/// Names are compared as they are; what is no name matches none. Any thread.
std::vector<std::string> matching_subprotocols(std::string_view offered,
                                               std::span<const std::string> accepted);

/// The framing that the first of tandem's own subprotocols in `offered` stands for; raw if there is
/// none. Any thread.
framing offered_framing(std::string_view offered);

/// The name of the subprotocol; empty for raw. Any thread.
std::string_view subprotocol_of(framing frames) noexcept;

} // namespace tandem::net
