// What RFC 7692, section 6, adds to the frames of RFC 6455.
#include "decoding.hpp"
#include "net/decoder.hpp"
#include "recoding.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <string_view>
#include <vector>

using namespace tandem;
using namespace tandem::net;

namespace {

constexpr uint32_t key = 0x37FA213D;

/// What comes of a stream where compression is agreed on: the chunks, one after the other.
struct decoded {
  std::string frames;
  std::optional<end_reason> fault;
  std::string_view fault_text;
  uint64_t messages = 0;
};

decoded decode_agreed(std::string stream, decoder_limits limits = {}, size_t read = SIZE_MAX) {
  frame_decoder decoder{sender::client, limits, {.deflate = true}};
  decoded result;
  for (size_t at = 0; at < stream.size() && !result.fault;) {
    auto n = std::min(read, stream.size() - at);
    auto in = std::as_writable_bytes(std::span{stream}.subspan(at, n));
    at += n;
    chunk_builder out{in.size() + max_head_size};
    auto what = frame_decoder::event::piece;
    while (what != frame_decoder::event::starved && !result.fault) {
      what = decoder.next(in, out);
      if (what == frame_decoder::event::piece)
        result.frames += wire::to_text(decoder.take_piece().bytes());
      if (what == frame_decoder::event::violation) {
        result.fault = decoder.fault().reason;
        result.fault_text = decoder.fault().text;
      }
    }
    result.frames += wire::to_text(out.seal().bytes());
  }
  result.messages = decoder.messages();
  return result;
}

std::string from_client(uint8_t opcode, std::string payload, bool fin, uint8_t reserved) {
  return wire::encode({.opcode = opcode,
                       .payload = std::move(payload),
                       .fin = fin,
                       .reserved = reserved,
                       .mask = key});
}

} // namespace

TEST_CASE("a compressed message keeps its bit on the first frame", "[decoder][deflate]") {
  const auto stream =
      from_client(wire::text, "\xFF\xFE", false, rsv1) + wire::from_client(wire::ping, "p") +
      from_client(wire::continuation, "\xFD", true, 0) +
      from_client(wire::binary, "b", true, rsv1) + from_client(wire::text, "plain", true, 0);
  const auto expected = frames_of(wire::text, true, {"\xFF\xFE", "\xFD"}) +
                        frame_of({wire::binary, true, "b"}) +
                        frame_of({wire::text, false, "plain"});
  for (auto read : {SIZE_MAX, size_t{1}, size_t{3}}) {
    auto got = decode_agreed(stream, {}, read);
    CHECK_FALSE(got.fault);
    CHECK(got.frames == expected);
    CHECK(got.messages == 3);
  }
}

TEST_CASE("only the first fragment of a large compressed frame has the bit", "[decoder][deflate]") {
  const std::string payload(1000, '\xFF');
  const auto got = decode_agreed(from_client(wire::text, payload, true, rsv1), {.piece = 100}, 60);
  CHECK_FALSE(got.fault);
  std::string_view frames = got.frames;
  std::string seen;
  for (int i = 0; !frames.empty(); ++i) {
    auto x = wire::take_frame(frames);
    REQUIRE(x);
    CHECK(x->reserved == (i == 0 ? rsv1 : 0));
    CHECK(x->opcode == (i == 0 ? wire::text : wire::continuation));
    CHECK(x->fin == frames.empty());
    seen += x->payload;
  }
  CHECK(seen == payload);
}

TEST_CASE("text that isn't compressed is checked, before and behind text that is",
          "[decoder][deflate]") {
  const auto compressed = from_client(wire::text, "\xFF", true, rsv1);
  auto got = decode_agreed(compressed + wire::from_client(wire::text, "\xFF") + compressed);
  CHECK(got.fault == end_reason::invalid_utf8);
  CHECK(got.frames == frame_of({wire::text, true, "\xFF"}));
}

TEST_CASE("the bit stands on the first frame of a message alone", "[decoder][deflate]") {
  constexpr std::string_view misplaced =
      "the bit for compression is set, but not on the first frame of a message";
  constexpr std::string_view unused = "a reserved bit is set that no extension uses";
  struct rule {
    uint8_t opcode;
    uint8_t reserved;
    std::string_view why;
    bool inside_message = false;
  };
  const rule rules[] = {
      {wire::ping, 4, misplaced},
      {wire::pong, 4, misplaced},
      {wire::close, 4, misplaced},
      {wire::continuation, 4, misplaced, true},
      {wire::text, 1, unused},
      {wire::text, 2, unused},
      {wire::text, 3, unused},
      {wire::text, 5, unused},
      {wire::binary, 6, unused},
      {wire::text, 7, unused},
      {wire::continuation, 2, unused, true},
      {wire::ping, 1, unused},
      {wire::continuation, 4, misplaced},
  };
  for (const auto& x : rules) {
    CAPTURE(+x.opcode, +x.reserved, x.inside_message);
    const auto begun = x.inside_message ? from_client(wire::text, "begun", false, rsv1) : "";
    const auto got = decode_agreed(begun + from_client(x.opcode, "", true, x.reserved));
    CHECK(got.fault == end_reason::protocol_error);
    CHECK(got.fault_text == x.why);
  }
}

TEST_CASE("the largest message counts the bytes that are passed on", "[decoder][deflate]") {
  const auto stream = from_client(wire::binary, "12345", false, rsv1) +
                      from_client(wire::continuation, "67890", true, 0);
  CHECK_FALSE(decode_agreed(stream, {.max_message = 10}).fault);
  CHECK(decode_agreed(stream, {.max_message = 9}).fault == end_reason::too_big);
}
