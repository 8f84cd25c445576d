/// Which route, side and key a request's target names.
#pragma once

#include "actors/messages.hpp"
#include "net/deflate_offer.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace tandem::net {

struct session_limits;

/// A named value in a request.
struct request_value {
  enum class part : uint8_t { none, query, header, cookie };

  part in = part::none;
  std::string name{};
};

/// A route, as the front knows it.
struct route {
  /// The paths of the two sides; in each, one segment is "{key}".
  std::string client_path;
  std::string worker_path;
  /// A key has many workers, each with a capacity.
  bool pools = false;
  /// A key's worker serves many clients at once, so it has to be a framed one.
  bool shares = false;
  /// The most slots that a worker may have.
  uint32_t max_capacity = 1;
  /// Which of a pool's workers a client is to have.
  request_value sticky_by{};
  /// Where a client's priority is.
  request_value priority_by{};
  /// Headers of clients that framed workers are told of.
  std::vector<std::string> open_headers{};
  /// The application's subprotocols that may be agreed on.
  std::vector<std::string> subprotocols{};
  /// Whether messages may be compressed; as the listener has it if it isn't set.
  std::optional<bool> compression{};
  deflate_policy deflate{};
  /// Outlive every session, and so the network workers.
  const session_limits* limits = nullptr;
};

struct route_match {
  role side;
  /// With its percent-encoding undone, at most max_key_size bytes.
  std::string key;
  /// The route's index.
  uint16_t route = 0;
  /// Path and query as they were sent, and the query alone, without its question mark: parts of the
  /// target.
  std::string_view target{};
  std::string_view query{};
};

struct route_fault {
  refusal why;
  std::string detail;
};

/// The longest key, in bytes.
inline constexpr size_t max_key_size = 255;

/// Reads a request's target in origin or absolute form (RFC 9112, sections 3.2.1 and 3.2.2); of the
/// latter only path and query count. No path fits two of the patterns of `routes`. Any thread.
std::variant<route_match, route_fault> match_target(std::string_view target,
                                                    std::span<const route> routes);

/// `text` with its percent-encoding undone; nothing if that is broken. Any thread.
std::optional<std::string> percent_decode(std::string_view text);

/// What is wrong with a name that somebody chose, as the end of a sentence; empty if nothing is. A
/// good one is UTF-8 of 1 to max_key_size bytes without control characters. Any thread.
std::string name_fault(std::string_view name);

} // namespace tandem::net
