/// Reads the frames that a server sends, whatever the pieces in which they arrive.
#pragma once

#include "net/frame.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace tandem::bench {

/// What comes next in a stream of frames.
struct frame_event {
  enum class kind : uint8_t {
    /// Nothing until more bytes come.
    none,
    /// Some bytes of a message, which may be none at all.
    piece,
    /// A whole ping, pong or close.
    control,
    /// The server broke RFC 6455. There is no reading on after that.
    violation,
  };

  kind what = kind::none;
  /// Of the message or of the control frame; never `continuation`.
  net::opcode op = net::opcode::binary;
  /// The message ends with this piece.
  bool last = false;
  /// Valid until the next call.
  std::span<const std::byte> bytes{};
  /// Which rule was broken.
  std::string_view fault{};
};

/// Turns bytes into events. Keeps no payload but that of a control frame that came in parts.
class frame_reader {
public:
  frame_reader() = default;

  /// `compressed`: every message has to come compressed, which is otherwise against the rules.
  explicit frame_reader(bool compressed) noexcept : compressed_{compressed} {}

  /// Takes one event's bytes off the front of `in`. To be called until it says `none`.
  frame_event next(std::span<const std::byte>& in) noexcept;

private:
  bool gather_head(std::span<const std::byte>& in) noexcept;
  std::string_view begin_frame(const net::frame_head& head) noexcept;
  frame_event take_piece(std::span<const std::byte>& in) noexcept;
  frame_event take_control(std::span<const std::byte>& in) noexcept;

  /// The frame at hand, and how much of it has yet to come.
  net::frame_head frame_;
  uint64_t left_ = 0;
  bool in_frame_ = false;
  bool compressed_ = false;
  /// Of the message whose end has yet to come.
  std::optional<net::opcode> message_;
  /// An unfinished head, or an unfinished control payload.
  std::array<std::byte, net::max_control_payload> kept_{};
  size_t kept_size_ = 0;
};

} // namespace tandem::bench
