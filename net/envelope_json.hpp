/// The messages of framed peers as JSON text: the codec of the subprotocol tandem.json.v1, and the
/// JSON that is in messages of tandem.v1.
#pragma once

#include "net/envelope.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace tandem::net {

/// Reads a message from a peer of this side: what it says, or what is wrong with it. Any text.
std::variant<envelope, ending> read_json_envelope(std::string_view text, role from);

/// A message of the application's. Text that isn't UTF-8 comes out with replacement characters.
std::string json_message(uint32_t channel, opcode op, std::span<const std::byte> payload);

/// `code` is 0 for none.
std::string json_close(uint32_t channel, uint16_t code, std::string_view reason);

std::string json_credit(uint32_t channel, uint32_t bytes);

/// `fields`, a JSON object, with a type and a channel ahead; without a channel if that is 0.
std::string json_with_head(envelope_type type, uint32_t channel, std::string_view fields);

// -- the JSON in messages of the broker's -------------------------------------

/// What `to` is told of its new peer, with what it may send at first, in bytes.
std::string open_fields(const peer_info& to, const peer_info& peer, uint64_t credit);

/// The first thing that a connection is told: its id, and how often it is pinged, in milliseconds,
/// 0 for never. `credit` is what it may send ahead of its peer, in bytes; 0 for a pool's worker.
std::string welcome_fields(uint64_t connection, uint64_t heartbeat, uint64_t credit);

std::string waiting_fields(uint32_t position);

std::string peer_lost_fields(bool rematching);

/// In milliseconds, until connections are closed.
std::string draining_fields(uint64_t grace);

} // namespace tandem::net
