/// Reads what a framed peer sends, as a stream.
#pragma once

#include "net/envelope.hpp"
#include "net/utf8.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace tandem::net {

/// Finds the messages of tandem.v1 or tandem.json.v1 in the frames that a session delivers,
/// wherever those are cut. Data of tandem.v1 comes out piece by piece, as it came in; all else, and
/// all of tandem.json.v1, comes out whole. Belongs to one thread; allocates only for messages that
/// come in several frames and aren't data of tandem.v1.
class envelope_reader {
public:
  enum class event : uint8_t {
    /// All that was fed is used up.
    starved,
    /// data() has a piece of a message.
    data,
    /// control() has a message that isn't data.
    control,
    /// fault() says what is wrong. Nothing more can be read.
    violation,
  };

  /// A run of a message's payload, which is never empty but at its end.
  struct piece {
    uint32_t channel = 0;
    opcode op = opcode::binary;
    bool first = false;
    bool last = false;
    /// Lasts as long as what was fed, or, of tandem.json.v1, until the next call.
    std::span<const std::byte> payload;
  };

  /// `frames` is binary or json; `from` is the side of the peer; `max_message` bounds a payload, in
  /// bytes.
  envelope_reader(framing frames, role from, uint64_t max_message) noexcept
      : frames_{frames}, from_{from}, max_message_{max_message} {}

  /// Gives it whole data frames with a server's heads, which follow those before. Not before it has
  /// starved.
  void feed(std::span<const std::byte> frames) noexcept { input_ = frames; }

  /// Throws std::bad_alloc.
  event next();

  const piece& data() const noexcept { return data_; }
  envelope& control() noexcept { return control_; }
  const ending& fault() const noexcept { return fault_; }
  bool failed() const noexcept { return failed_; }

  framing frames() const noexcept { return frames_; }

private:
  event read_frame(const frame_head& head, std::span<const std::byte> payload);
  event read_data(bool last, std::span<const std::byte> payload);
  event gather_control(bool last, std::span<const std::byte> payload);
  event read_text(bool last, std::span<const std::byte> payload);
  event fail(const ending& what);
  event fail(std::string_view text) { return fail(ending::by(end_reason::protocol_error, text)); }

  framing frames_;
  role from_;
  uint64_t max_message_;
  std::span<const std::byte> input_;
  piece data_;
  envelope control_;
  ending fault_;
  /// Of the message at hand: its head, and how much of that is there.
  std::array<std::byte, envelope_head_size> head_{};
  size_t head_have_ = 0;
  envelope_head message_{};
  /// A piece of it came out.
  bool begun_ = false;
  bool failed_ = false;
  utf8_check utf8_;
  /// What is to come out whole, as far as it is there.
  std::string gathered_;
};

} // namespace tandem::net
