/// The negotiation of permessage-deflate, without any I/O (RFC 7692, sections 5 and 7.1).
#pragma once

#include "net/deflate.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tandem::net {

/// One element of a Sec-WebSocket-Extensions header (RFC 6455, section 9.1).
struct extension_offer {
  struct parameter {
    std::string name;
    /// Without quotes; nothing if there was no "=".
    std::optional<std::string> value;
  };

  std::string name;
  std::vector<parameter> parameters;
};

/// The elements of the header's value, in the client's order of preference. Several fields of that
/// name count as one, joined by commas. Nothing if it breaks the grammar, and then the handshake
/// has to fail. Any thread.
std::optional<std::vector<extension_offer>> parse_extensions(std::string_view header);

/// What a listener lets its peers have.
struct deflate_policy {
  /// The window that peers are asked to keep to, where their offer lets a server ask: 9 to 15.
  uint8_t max_window_bits = 12;
  /// False: no message refers to another one, in either direction.
  bool keeps_context = true;
};

struct deflate_answer {
  /// Not `agreed` if no offer is accepted.
  deflate_params params;
  /// For Sec-WebSocket-Extensions in the response; empty if no offer is accepted.
  std::string header;
};

/// Accepts the first offer of permessage-deflate that can be accepted and declines all else. An
/// offer is declined if it names an unknown parameter, one twice, or one with a value that it may
/// not have (section 7), and if it has the broker compress with a window of 8 bits, which zlib
/// can't. Any thread.
deflate_answer choose_deflate(std::span<const extension_offer> offers,
                              const deflate_policy& policy);

} // namespace tandem::net
