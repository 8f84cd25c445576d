/// Drives a frame_decoder as a session does, and checks what always holds of it.
#pragma once

#include "net/decoder.hpp"
#include "reference.hpp"
#include "wire.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tandem::net {

/// Puts the messages of forwarded chunks together again. A chunk that isn't a run of whole data
/// frames, headed as a server heads them, is a std::logic_error.
class reassembly {
public:
  void add(std::span<const std::byte> chunk) {
    auto in = wire::to_text(chunk);
    while (!in.empty()) {
      auto x = wire::take_frame(in);
      wire::expect(x.has_value(), "a chunk ends inside a frame");
      wire::expect(x->opcode < 8, "a control frame was forwarded");
      wire::expect(!wire::breaks_protocol(*x, false, open_.has_value()),
                   "a forwarded frame breaks the protocol");
      if (!open_)
        open_ = wire::message{x->opcode, {}};
      open_->payload += x->payload;
      payload_bytes_ += x->payload.size();
      if (x->fin)
        messages_.push_back(*std::exchange(open_, std::nullopt));
    }
  }

  const std::vector<wire::message>& messages() const { return messages_; }
  const std::optional<wire::message>& unfinished() const { return open_; }
  size_t payload_bytes() const { return payload_bytes_; }

private:
  std::vector<wire::message> messages_;
  std::optional<wire::message> open_;
  size_t payload_bytes_ = 0;
};

class decoding {
public:
  decoding(sender from, decoder_limits limits, decoder_extensions agreed = {})
      : decoder_{from, limits, agreed}, piece_{limits.piece} {}

  /// One read. False once the stream is over, by a close frame or by a fault.
  bool feed(std::string_view input) {
    // Of the exact size, so that a sanitizer sees one byte too many being read.
    auto buffer = std::make_unique<std::byte[]>(input.size());
    std::memcpy(buffer.get(), input.data(), input.size());
    std::span in{buffer.get(), input.size()};
    chunk_builder out{in.size() + max_head_size};
    const auto room = out.cost();
    while (step(in, out)) {
    }
    wire::expect(out.cost() == room, "the room for the input and a head wasn't enough");
    if (out.size() > 0)
      forwarded_.add(out.seal().bytes());
    check();
    return !over_;
  }

  /// Feeds `stream` in reads of `size(left)` bytes, which is at least 1.
  template <class Size>
  wire::outcome run(std::string_view stream, Size size) {
    while (!stream.empty()) {
      auto read = stream.substr(0, size(stream.size()));
      stream.remove_prefix(read.size());
      if (!feed(read))
        break;
    }
    return result();
  }

  wire::outcome result() const {
    const auto& open = forwarded_.unfinished();
    wire::expect(!open || open->opcode != wire::text || wire::can_become_utf8(open->payload),
                 "bytes of an invalid text were forwarded");
    return {forwarded_.messages(), controls_, fault_, open};
  }

  const frame_decoder& decoder() const { return decoder_; }
  const reassembly& forwarded() const { return forwarded_; }

private:
  /// False if the read is over.
  bool step(std::span<std::byte>& in, chunk_builder& out) {
    using event = frame_decoder::event;
    const auto what = decoder_.next(in, out);
    switch (what) {
    case event::starved:
      wire::expect(in.empty(), "the decoder starves with bytes left");
      return false;
    case event::piece:
      wire::expect(out.size() == 0, "a piece comes behind what follows it");
      forwarded_.add(decoder_.take_piece().bytes());
      return true;
    case event::ping:
    case event::pong:
      note_control(what == event::ping ? wire::ping : wire::pong, 0);
      return true;
    case event::close:
      note_control(wire::close, decoder_.close_code());
      over_ = true;
      return false;
    case event::violation:
      wire::expect(!decoder_.fault().text.empty(), "a fault without a text");
      fault_ = decoder_.fault().reason;
      over_ = true;
      return false;
    }
    throw std::logic_error{"an event that doesn't exist"};
  }

  void note_control(uint8_t opcode, uint16_t code) {
    controls_.push_back(
        {opcode, std::string{wire::to_text(decoder_.control())}, code, decoder_.messages()});
  }

  void check() const {
    wire::expect(decoder_.held() <= piece_ + 2 * max_head_size + sizeof(chunk_block),
                 "more than a piece is held");
    wire::expect(!over_ || decoder_.held() == 0, "a stream that is over holds a piece");
    wire::expect(decoder_.inside_message() == forwarded_.unfinished().has_value(),
                 "inside_message() is wrong");
    wire::expect(decoder_.messages() == forwarded_.messages().size(), "messages() is wrong");
  }

  frame_decoder decoder_;
  size_t piece_;
  reassembly forwarded_;
  std::vector<wire::control> controls_;
  std::optional<end_reason> fault_;
  bool over_ = false;
};

/// All that `reference` finds, `decoded` has too. Only what came out of an unfinished message may
/// be less, since some of it may still be held.
inline void expect_same(const wire::outcome& decoded, const wire::outcome& reference) {
  wire::expect(decoded.messages == reference.messages, "the messages differ");
  wire::expect(decoded.controls == reference.controls, "the control frames differ");
  wire::expect(decoded.fault == reference.fault, "the faults differ");
  if (decoded.unfinished)
    wire::expect(reference.unfinished &&
                     reference.unfinished->opcode == decoded.unfinished->opcode &&
                     reference.unfinished->payload.starts_with(decoded.unfinished->payload),
                 "the unfinished messages differ");
}

/// What comes of `stream`: the same in one read and byte by byte.
inline wire::outcome decode(std::string_view stream, sender from = sender::client,
                            decoder_limits limits = {}) {
  auto whole = decoding{from, limits}.run(stream, [](size_t left) { return left; });
  expect_same(decoding{from, limits}.run(stream, [](size_t) { return size_t{1}; }), whole);
  return whole;
}

} // namespace tandem::net
