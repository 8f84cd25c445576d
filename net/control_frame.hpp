/// Control frames of the server's side, ready for the wire.
#pragma once

#include "net/chunk.hpp"
#include "net/frame.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace tandem::net {

/// Appends a control frame (RFC 6455, section 5.5) with up to 125 bytes of payload. Any thread.
void append_control(chunk_builder& to, opcode op, std::span<const std::byte> payload);

/// A close frame with this code, and as much of `reason` as it has room for; a code of 0 makes one
/// without a payload (RFC 6455, section 5.5.1). Any thread.
chunk make_close_frame(uint16_t code, std::string_view reason);

} // namespace tandem::net
