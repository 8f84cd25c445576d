/// The messages of framed peers: the codec of the subprotocol tandem.v1, and what it shares with
/// tandem.json.v1 (docs/protocol.md).
#pragma once

#include "actors/messages.hpp"
#include "net/chunk.hpp"
#include "net/frame.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tandem::net {

/// The first byte of a message's head.
enum class envelope_type : uint8_t {
  open = 1,
  text,
  binary,
  close,
  credit,
  capacity,
  drain,
  event,
};

/// What stands ahead of the payload in tandem.v1: type, three zeros, channel.
inline constexpr size_t envelope_head_size = 8;

/// What a message weighs in credit besides its payload, in bytes: more than the memory that it
/// takes ever is.
inline constexpr uint32_t envelope_weight = 40;

/// The largest payload of a message that isn't data, in bytes: a close code and its reason.
inline constexpr size_t max_envelope_control = 125;

struct envelope_head {
  envelope_type type;
  uint32_t channel;
};

constexpr bool is_data(envelope_type type) noexcept {
  return type == envelope_type::text || type == envelope_type::binary;
}

/// A whole message, or the head of one: what it says besides type and channel is told only if its
/// type has it.
struct envelope {
  envelope_type type = envelope_type::text;
  uint32_t channel = 0;
  /// Bytes of a credit, slots of a capacity.
  uint32_t amount = 0;
  /// Of a close; 0 for none.
  uint16_t code = 0;
  /// The reason of a close, the payload of a text or binary.
  std::string text{};
};

/// How much longer than its payload a message of `payload` bytes can be on the wire, in bytes.
uint64_t most_overhead(framing frames, uint64_t payload) noexcept;

/// Writes a head to `out`, which has room for envelope_head_size bytes.
void write_envelope_head(const envelope_head& head, std::byte* out) noexcept;

/// Reads a head from `in`, which holds envelope_head_size bytes; judges nothing.
envelope_head read_envelope_head(const std::byte* in) noexcept;

/// What is wrong with the head of a message from a peer of this side; null if nothing is.
const char* judge_envelope_head(const std::byte* in, role from) noexcept;

/// What is wrong with a message of this type on this channel from a peer of this side; null if
/// nothing is.
const char* judge_envelope(envelope_type type, uint32_t channel, role from) noexcept;

/// Reads the payload of what isn't data into `to`, whose type is known. Returns what is wrong with
/// it, if anything is.
std::optional<ending> read_envelope_payload(std::span<const std::byte> in, envelope& to);

/// What is wrong with the code, or 0, and the reason of a close.
std::optional<ending> judge_close(uint16_t code, std::string_view reason);

// -- what the broker sends ----------------------------------------------------

/// Appends a message of the application's, in a frame of its own. `op` is text or binary.
void append_message(chunk_builder& to, framing frames, uint32_t channel, opcode op,
                    std::span<const std::byte> payload);

/// Appends all of a message in tandem.v1 that comes ahead of its payload of `size` bytes.
void append_message_head(chunk_builder& to, uint32_t channel, opcode op, size_t size);

/// `code` is 0 for none.
void append_close(chunk_builder& to, framing frames, uint32_t channel, uint16_t code,
                  std::string_view reason);

void append_credit(chunk_builder& to, framing frames, uint32_t channel, uint32_t bytes);

/// `fields` is a JSON object. The channel is 0 for an event.
void append_json(chunk_builder& to, framing frames, envelope_type type, uint32_t channel,
                 std::string_view fields);

} // namespace tandem::net
