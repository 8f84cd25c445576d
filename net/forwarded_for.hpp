/// The client's address by X-Forwarded-For.
#pragma once

#include "net/ip_address.hpp"

#include <optional>
#include <string_view>

namespace tandem::net {

/// Whom a trusted proxy's request comes from: the rightmost address in `list` that isn't trusted,
/// since everything to its left is that one's own claim; the leftmost if all are trusted. `list` is
/// the value of X-Forwarded-For, several fields joined by commas. An entry may have a port, and
/// IPv6 brackets. One that is no address ends the search: then it is the last that was found,
/// or nothing. Any thread.
std::optional<ip_address> forwarded_client(std::string_view list, const trusted_peers& trusted);

} // namespace tandem::net
