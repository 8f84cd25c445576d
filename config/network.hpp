/// Networks of IP addresses, as text.
#pragma once

#include "config/settings.hpp"

#include <string>
#include <string_view>
#include <variant>

namespace tandem::config {

/// Reads an IP address, a network as "10.0.0.0/8" (CIDR), or "unix" for the peers of Unix-domain
/// sockets. Otherwise returns what is wrong with it, as the end of a sentence that begins with
/// `text`.
std::variant<network, std::string> parse_network(std::string_view text);

/// "10.0.0.0/8", "::1" or "unix".
std::string to_string(const network& x);

} // namespace tandem::config
