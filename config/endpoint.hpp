/// Where to listen, as text.
#pragma once

#include "config/settings.hpp"

#include <string>
#include <string_view>
#include <variant>

namespace tandem::config {

/// Reads "ADDRESS:PORT", with a numeric IPv4 address or a numeric IPv6 address in brackets, after
/// "ws://" or nothing, or after "wss://" for TLS, or "unix:PATH" with an absolute path. Options of
/// this listener may follow behind a "?", joined with "&", as in "unix:/run/tandem.sock?mode=660".
/// Otherwise returns what is wrong with it, as the end of a sentence that begins with `text`.
std::variant<endpoint, std::string> parse_endpoint(std::string_view text);

/// "0.0.0.0:8080", "wss://[::]:8443" or "unix:/run/tandem.sock", with the options that aren't at
/// their default.
std::string to_string(const endpoint& x);

} // namespace tandem::config
