/// The PROXY protocol's header, by which a proxy says whose connection it passes on.
#pragma once

#include "net/ip_address.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

namespace tandem::net {

/// The longest header, in bytes, that is taken: version 1 has its own bound of 107, and in version
/// 2 a proxy may put a client's certificate behind the addresses.
inline constexpr size_t max_proxy_header = 4096;

/// A header that is there in full.
struct proxy_header {
  /// The bytes that it takes.
  size_t size = 0;
  /// The client's address. None if the header doesn't tell: the proxy speaks for itself (LOCAL), or
  /// doesn't know (UNKNOWN, AF_UNSPEC), or its client came by a unix-domain socket.
  std::optional<ip_address> source;
  /// The client's port; 0 without an address.
  uint16_t port = 0;
};

/// So far it is a header, but not all of one.
struct proxy_header_begun {};

/// What is wrong with it: a sentence that is a constant.
struct proxy_header_fault {
  std::string_view detail;
};

using proxy_header_result = std::variant<proxy_header_begun, proxy_header, proxy_header_fault>;

/// Reads the header at the beginning of `bytes`, of either version; more may follow it. By "The
/// PROXY protocol, Versions 1 & 2", section 2. Any thread.
proxy_header_result parse_proxy_header(std::string_view bytes) noexcept;

} // namespace tandem::net
