/// Addresses to listen on, as text.
#pragma once

#include "config/settings.hpp"

#include <string>
#include <string_view>
#include <variant>

namespace tandem::config {

/// Reads "ADDRESS:PORT" with a numeric IPv4 address, or a numeric IPv6 address in brackets.
/// Otherwise returns what is wrong with it, as the end of a sentence that begins with `text`.
std::variant<endpoint, std::string> parse_endpoint(std::string_view text);

/// "0.0.0.0:8080" or "[::]:8080".
std::string to_string(const endpoint& x);

} // namespace tandem::config
