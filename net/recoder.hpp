/// Turns what one end of a pair sends into what the other end takes, where their agreements on
/// compression don't let it pass as it is.
#pragma once

#include "actors/error.hpp"
#include "net/chunk.hpp"
#include "net/deflate.hpp"
#include "net/fragment_writer.hpp"
#include "net/utf8.hpp"
#include "net/zlib_stream.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <vector>

namespace tandem::net {

struct recoder_options {
  /// The largest message that is inflated, in bytes of what comes out of it.
  uint64_t max_message = UINT64_MAX;
  /// Room for one chunk that comes out, in bytes: 64 to `recoder::largest_piece`.
  size_t piece = size_t{64} << 10;
  /// A message in one frame shorter than this, in bytes, isn't worth compressing.
  size_t threshold = 256;
  /// zlib's, 1 to 9: how hard it tries, and how much memory it takes for that.
  int level = 3;
  int memory_level = 5;
  /// The largest window to deflate with, 9 to 15.
  uint8_t max_window_bits = 12;
};

/// Recodes one direction of a pair: inflates what comes compressed, checks it as text if it is
/// that, and deflates for an end that takes it. A stream: chunks of whole frames with a server's
/// head go in, and come out as others, in small pieces as they are asked for. So its memory is what
/// was pushed and isn't used up, one state of zlib for each way that the pair needs, and a few KiB.
/// Belongs to one thread.
class recoder {
public:
  static constexpr size_t largest_piece = fragment_writer::largest_buffer;

  /// Both agreements outlive it as copies.
  recoder(const deflate_params& from, const deflate_params& to,
          const recoder_options& options) noexcept
      : options_{options}, from_{from}, to_{to} {}

  /// Takes frames as a decoder delivers them, and holds them until next() has used them up.
  void push(chunk frames);

  /// Works on what it holds, for about as long as inflating a piece takes. Returns whole frames, at
  /// most a piece of them; empty if none came of it yet. At a fault, that is all of the messages
  /// before it. Not to be called at rest. Throws std::bad_alloc.
  chunk next();

  /// Nothing is left to do: all that was pushed is used up, or there is a fault.
  bool at_rest() const noexcept { return (stage_ == stage::head && input_.empty()) || fault_; }

  /// What is wrong with what was pushed: too_big, invalid_deflate or invalid_utf8.
  const std::optional<ending>& fault() const noexcept { return fault_; }

  /// The cost of the chunks that it holds, in bytes.
  size_t held() const noexcept { return held_; }

  /// True if what came out so far ends inside a message.
  bool inside_message() const noexcept { return outgoing_.begun; }

private:
  /// What is to be done next.
  enum class stage : uint8_t {
    /// To read a frame's head.
    head,
    /// To recode a frame's payload.
    payload,
    /// To inflate what the sender has cut off the end of a compressed message.
    tail,
    /// To get what is left of the message out.
    finish,
  };

  void step(fragment_writer& out);
  void read_frame_head();
  void begin_message(const frame_head& head);
  void recode_payload(fragment_writer& out);
  void use_up(size_t n);
  void end_payload() noexcept;
  size_t inflate_some(std::span<const std::byte> in, fragment_writer& out);
  size_t deflate_some(std::span<const std::byte> in, fragment_writer& out);
  void inflate_tail(fragment_writer& out);
  void judge_end();
  void finish_message(fragment_writer& out);
  void fail(end_reason reason);

  recoder_options options_;
  deflate_params from_;
  deflate_params to_;
  std::deque<chunk> input_;
  /// Bytes of the first chunk that are used up.
  size_t used_ = 0;
  size_t held_ = 0;
  /// Inflated bytes that the deflater has yet to take.
  std::vector<std::byte> between_;
  std::optional<inflater> inflater_;
  std::optional<deflater> deflater_;
  std::optional<ending> fault_;
  /// The message that comes out.
  outgoing_message outgoing_;
  /// Of the frame at hand.
  uint64_t payload_left_ = 0;
  bool last_frame_ = false;
  /// Of the message that comes in: what was read of it compressed, and what it was inflated to.
  uint64_t compressed_size_ = 0;
  uint64_t inflated_size_ = 0;
  utf8_check utf8_;
  bool inflates_ = false;
  bool checks_text_ = false;
  bool deflater_has_input_ = false;
  uint8_t tail_left_ = 0;
  stage stage_ = stage::head;
  /// Bytes that next() has worked on.
  size_t work_ = 0;
};

} // namespace tandem::net
