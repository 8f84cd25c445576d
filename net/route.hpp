/// Which side and key a request's target names.
#pragma once

#include "actors/messages.hpp"

#include <string>
#include <string_view>
#include <variant>

namespace tandem::net {

/// The paths of the two sides; in each, one segment is "{key}".
struct route {
  std::string client_path;
  std::string worker_path;
};

struct route_match {
  role side;
  /// With its percent-encoding undone, at most max_key_size bytes.
  std::string key;
};

struct route_fault {
  refusal why;
  std::string detail;
};

/// The longest key, in bytes.
inline constexpr size_t max_key_size = 255;

/// Reads a request's target in origin or absolute form (RFC 9112, sections 3.2.1 and 3.2.2); of the
/// latter only the path counts. The query is left aside. Any thread.
std::variant<route_match, route_fault> match_target(std::string_view target, const route& where);

} // namespace tandem::net
