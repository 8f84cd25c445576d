/// The inbound half of the frame codec: checks what one peer sends and re-heads it for the other.
#pragma once

#include "actors/error.hpp"
#include "net/chunk.hpp"
#include "net/frame.hpp"
#include "net/utf8.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace tandem::net {

/// Whose frames a decoder reads: a client's are masked, a server's are not (RFC 6455, section 5.1).
enum class sender : uint8_t { client, server };

struct decoder_limits {
  /// The largest message, over all its fragments, in bytes of their payloads: of a compressed one,
  /// this is its compressed size.
  uint64_t max_message = UINT64_MAX;
  /// A frame longer than this is passed on in pieces, each a fragment of its own, in bytes; at
  /// least 1.
  size_t piece = size_t{64} << 10;
};

/// What the two ends of a connection agreed on besides RFC 6455.
struct decoder_extensions {
  /// Messages may be compressed (RFC 7692): RSV1 on the first frame says so.
  bool deflate = false;
  /// By so much a message may be longer than the limit, in bytes: for what an envelope adds.
  uint64_t overhead = 0;
};

/// Reads one direction of one connection. Data frames come out unmasked and with a server's head; a
/// frame that is too large to wait for comes out in fragments, so that no message is ever held
/// whole. Every MUST of RFC 6455, section 5, is checked, and text is checked as its bytes arrive,
/// unless it is compressed: then it comes out as it is, with RSV1 on its first fragment.
/// Belongs to one thread; allocates only for frames that a read cut.
class frame_decoder {
public:
  enum class event : uint8_t {
    /// All of the input is used up.
    starved,
    /// take_piece() has frames that go out before what `next` adds from here on.
    piece,
    /// control() has the payload.
    ping,
    pong,
    /// close_code() and control() have what the peer said. The peer sends nothing more.
    close,
    /// fault() says what is wrong. `next` must not be called again.
    violation,
  };

  struct violation_info {
    end_reason reason;
    std::string_view text;
  };

  frame_decoder(sender from, decoder_limits limits, decoder_extensions agreed = {}) noexcept
      : limits_{limits}, from_{from}, deflate_{agreed.deflate} {
    limits_.max_message += std::min(agreed.overhead, UINT64_MAX - limits.max_message);
  }

  /// Decodes from the front of `in`, which it shortens and whose control payloads it unmasks in
  /// place, and appends data frames to `out`. `out` needs room for in.size() + max_head_size bytes.
  /// Returns at the first event; what `out` got up to there comes before it. Throws std::bad_alloc.
  event next(std::span<std::byte>& in, chunk_builder& out);

  chunk take_piece() noexcept { return held_.seal(); }

  /// The payload of a ping or pong, or the reason of a close; until the next call of `next`.
  std::span<const std::byte> control() const noexcept { return control_; }

  /// 0 if the close frame had none.
  uint16_t close_code() const noexcept { return close_code_; }

  violation_info fault() const noexcept {
    return {fault_reason_, fault_text_ == nullptr ? describe(fault_reason_).text : fault_text_};
  }

  /// True if the frames that came out so far end inside a message.
  bool inside_message() const noexcept { return open_out_; }

  /// Whole messages that came out so far.
  uint64_t messages() const noexcept { return messages_; }

  /// Memory of the piece that is being filled, in bytes.
  size_t held() const noexcept { return held_.cost(); }

private:
  bool pass_whole_message(std::span<std::byte>& in, chunk_builder& out);
  bool gather_head(std::span<std::byte>& in) noexcept;
  const char* judge_head() const noexcept;
  const char* judge_reserved() const noexcept;
  event begin_frame(chunk_builder& out, size_t available);
  void begin_piece(chunk_builder& out, size_t available);
  event fill_piece(std::span<std::byte>& in, chunk_builder& out);
  event end_frame(chunk_builder& target) noexcept;
  event fail_text(chunk_builder& target) noexcept;
  event read_control(std::span<std::byte>& in);
  event end_control(std::span<std::byte> payload) noexcept;
  event end_close(std::span<std::byte> payload) noexcept;
  event fail(end_reason reason, const char* text = nullptr) noexcept;

  decoder_limits limits_;
  /// The frame at hand, its payload still to come, and the part of that which belongs to the
  /// current piece.
  frame_head head_;
  uint64_t remaining_ = 0;
  uint64_t piece_left_ = 0;
  uint64_t message_size_ = 0;
  uint64_t messages_ = 0;
  /// A piece of which some is still to come; where the current piece began in `out` otherwise.
  chunk_builder held_;
  size_t piece_start_ = 0;
  /// A control payload that a read cut.
  chunk_builder partial_control_;
  std::span<const std::byte> control_;
  /// Null for the reason's own text.
  const char* fault_text_ = nullptr;
  std::byte head_bytes_[max_head_size];
  uint8_t head_have_ = 0;
  uint8_t phase_ = 0;
  uint16_t close_code_ = 0;
  utf8_check utf8_;
  end_reason fault_reason_{};
  sender from_;
  /// Messages may be compressed.
  bool deflate_;
  bool in_frame_ = false;
  bool in_message_ = false;
  /// The message is text whose bytes can be checked: it isn't compressed.
  bool text_ = false;
  bool first_piece_ = false;
  bool open_out_ = false;
};

} // namespace tandem::net
