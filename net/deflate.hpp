/// What the two ends of a connection agreed on for the compression of messages (RFC 7692).
#pragma once

#include <caf/meta/type_name.hpp>

#include <cstdint>
#include <string>

namespace tandem::net {

/// The largest LZ77 window of DEFLATE, as a power of two in bytes.
inline constexpr uint8_t max_window_bits = 15;

/// The agreement on permessage-deflate of one connection. Clients and workers alike are clients of
/// the broker, which is the server of RFC 7692.
struct deflate_params {
  /// False: nothing on this connection is compressed, and the rest has no meaning.
  bool agreed = false;
  /// Windows of what the other end sends and of what the broker sends: 8 to 15, as a power of two
  /// in bytes (section 7.1.2).
  uint8_t client_window_bits = max_window_bits;
  uint8_t server_window_bits = max_window_bits;
  /// True if a message may refer to those before it: "context takeover" (section 7.1.1).
  bool client_keeps_context = true;
  bool server_keeps_context = true;

  bool operator==(const deflate_params&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, deflate_params& x) {
  return f(caf::meta::type_name("deflate_params"), x.agreed, x.client_window_bits,
           x.server_window_bits, x.client_keeps_context, x.server_keeps_context);
}

/// True if all that a connection with `from` sends can be passed on as it is to one with `to`: its
/// messages aren't compressed and `to` expects none that are, or `to` can inflate them. Any thread.
constexpr bool passes_through(const deflate_params& from, const deflate_params& to) noexcept {
  if (!from.agreed || !to.agreed)
    return from.agreed == to.agreed;
  return from.client_window_bits <= to.server_window_bits &&
         (!from.client_keeps_context || to.server_keeps_context);
}

/// For logs: "off", or the parameters without spaces. Any thread.
std::string to_string(const deflate_params& x);

} // namespace tandem::net
