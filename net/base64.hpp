/// Base64 (RFC 4648, section 4).
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tandem::net {

/// With padding. Any thread.
std::string to_base64(std::span<const std::byte> bytes);

/// Nothing if `text` isn't what to_base64 makes of some bytes. Any thread.
std::optional<std::string> from_base64(std::string_view text);

} // namespace tandem::net
