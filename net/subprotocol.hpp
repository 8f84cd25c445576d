/// Subprotocols of the application's (RFC 6455, section 1.9).
#pragma once

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

} // namespace tandem::net
