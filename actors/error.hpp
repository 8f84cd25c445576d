/// Every way in which a connection ends or is refused: one row each, with all that the world gets
/// to see of it.
#pragma once

#include <caf/error.hpp>
#include <caf/meta/type_name.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace tandem {

/// Why a connection ended. The name in the table is the label that logs and metrics carry.
enum class end_reason : uint8_t {
  /// The peer closed it: the ending carries its own code and text.
  closed_by_peer = 1,
  /// TCP ended without a closing handshake.
  vanished,
  shutting_down,
  protocol_error,
  invalid_utf8,
  /// A compressed message is no DEFLATE, or ends inside of it.
  invalid_deflate,
  too_big,
  broker_fault,
  replaced,
  no_peer_in_time,
  stalled,
  /// The other side of the pair closed in good order: its code and text are passed on.
  peer_closed,
  /// The other side of the pair was lost in any other way.
  peer_lost,
  heartbeat_missed,
  /// It had no peer yet, and the broker holds as many bytes as it may.
  overloaded,
  /// It waited for a worker of its pool for too long.
  no_worker_in_time,
  /// Its worker asked for no more clients, and the last one has gone.
  drained,
};

inline constexpr uint8_t end_reason_count = 17;

/// What the world sees of an end_reason.
struct end_reason_row {
  end_reason reason;
  /// Snake case, stable: logs and metrics use it.
  std::string_view name;
  /// RFC 6455, section 7.4, or tandem's own (docs/protocol.md); 0 where none is sent.
  uint16_t code;
  /// The default reason in the close frame, at most 123 bytes.
  std::string_view text;
};

const end_reason_row& describe(end_reason reason) noexcept;

/// How one connection ended, as its peer, the pairing and the extensions learn it.
struct ending {
  end_reason reason = end_reason::vanished;
  /// The code for the close frame to the other side; 0 for a close frame without one.
  uint16_t code = 0;
  /// UTF-8, at most 123 bytes.
  std::string text;
  /// True if what was forwarded ends inside a message, which nobody can finish any more.
  bool cut = false;

  /// The ending that the table gives for `reason`, with a text of its own if `text` isn't empty.
  static ending by(end_reason reason, std::string_view text = {});
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, ending& x) {
  return f(caf::meta::type_name("ending"), x.reason, x.code, x.text, x.cut);
}

/// Why a connection was refused before its upgrade.
enum class refusal : uint8_t {
  none,
  bad_request,
  unknown_route,
  bad_method,
  key_taken,
  not_a_websocket,
  bad_version,
  head_too_large,
  timed_out,
  draining,
  broker_fault,
  /// Connections come faster than a rate allows.
  too_fast,
  too_many_from_address,
  /// There are as many connections as there may be.
  full,
  /// The broker holds as many bytes, or has as many handshakes under way, as it may.
  overloaded,
  untrusted_proxy,
  bad_proxy_header,
  /// It speaks no TLS that is accepted, or has no certificate that is.
  tls_failed,
  /// No worker of the pool is free, and as many clients wait for one as may.
  queue_full,
};

inline constexpr uint8_t refusal_count = 19;

struct refusal_row {
  refusal why;
  /// The word in the JSON body's `error`.
  std::string_view name;
  /// The HTTP status; 0 if the connection is closed without an answer.
  unsigned status;
  /// When to try again, in seconds; 0 if that isn't told.
  unsigned retry_after;
};

const refusal_row& describe(refusal why) noexcept;

std::string to_string(end_reason reason);

/// An actor's exit reason that keeps the ending; `ending_of` reads it back.
caf::error make_error(const ending& how);

/// The ending in an exit reason; broker_fault, with the error as its text, if it holds none.
ending ending_of(const caf::error& reason);

} // namespace tandem
