/// Named values in a request, as the config file has them: "query:user".
#pragma once

#include "config/settings.hpp"

#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace tandem::config {

/// What stands before the colon: "query". Empty for none.
std::string_view to_word(request_part x) noexcept;

/// Reads "query:NAME", "header:NAME" or "cookie:NAME", as far as `accepted` has its part; empty is
/// none. What is wrong otherwise, as the end of a sentence that begins with it.
std::variant<request_value, std::string>
parse_request_value(std::string_view text, std::span<const request_part> accepted);

/// As parse_request_value reads it.
std::string to_string(const request_value& x);

/// Whether `c` may be in a token of HTTP (RFC 9110, section 5.6.2).
bool is_token_character(unsigned char c) noexcept;

} // namespace tandem::config
