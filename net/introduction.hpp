/// What a request says of its peer beyond the path: by its query, headers and cookies. For the
/// front alone: this header brings in Beast.
#pragma once

#include "actors/messages.hpp"
#include "net/upgrade.hpp"

#include <optional>

namespace tandem::net {

/// The values of a header's fields as one list (RFC 9110, section 5.3). Any thread.
std::string joined(const upgrade_request& request, boost::beast::string_view name);

/// Notes in `who` and `asked` who comes by the route that `match` names, and what it asks for, if
/// that makes sense; otherwise says what is wrong. Leaves the ids alone. Any thread.
std::optional<route_fault> introduce(const upgrade_request& request, const route_match& match,
                                     const route& where, peer_info& who, claim& asked);

} // namespace tandem::net
