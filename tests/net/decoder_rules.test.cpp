// What RFC 6455 demands of frames: sections 5.1 to 5.5, and 7.4 on close codes.
#include "decoding.hpp"
#include "net/decoder.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <string_view>
#include <vector>

using namespace tandem;
using namespace tandem::net;

namespace {

constexpr uint32_t key = 0x37FA213D;

/// The text of the fault that ends `stream`.
std::string_view fault_text(std::string_view stream, sender from) {
  decoding run{from, {}};
  run.feed(stream);
  return run.decoder().fault().text;
}

/// A frame that breaks RFC 6455, section 5, and what is said of it.
struct rule {
  wire::frame bad;
  std::string_view why;
  bool inside_message = false;
};

constexpr std::string_view reserved_bit = "a reserved bit is set, but no extension was agreed on";
constexpr std::string_view reserved_opcode = "the opcode is reserved";
constexpr std::string_view overlong = "a length isn't in its shortest form";
constexpr std::string_view highest_bit = "a length has its highest bit set";
constexpr std::string_view continues_nothing = "a continuation frame continues nothing";
constexpr std::string_view interrupts = "a new message begins inside a fragmented one";
constexpr std::string_view fragmented = "a control frame is fragmented";
constexpr std::string_view too_long = "a control frame is longer than 125 bytes";

const rule rules[] = {
    // 5.2: the reserved bits, each alone and all, on every kind of frame.
    {{.reserved = 1}, reserved_bit},
    {{.reserved = 2}, reserved_bit},
    {{.reserved = 4}, reserved_bit},
    {{.reserved = 7}, reserved_bit},
    {{.opcode = wire::ping, .reserved = 4}, reserved_bit},
    {{.opcode = wire::continuation, .reserved = 4}, reserved_bit, true},
    // 5.2: the reserved opcodes.
    {{.opcode = 0x3}, reserved_opcode},
    {{.opcode = 0x4}, reserved_opcode},
    {{.opcode = 0x5}, reserved_opcode},
    {{.opcode = 0x6}, reserved_opcode},
    {{.opcode = 0x7}, reserved_opcode},
    {{.opcode = 0xB}, reserved_opcode},
    {{.opcode = 0xC}, reserved_opcode},
    {{.opcode = 0xD}, reserved_opcode},
    {{.opcode = 0xE}, reserved_opcode},
    {{.opcode = 0xF}, reserved_opcode},
    {{.opcode = 0x3}, reserved_opcode, true},
    {{.opcode = 0xB}, reserved_opcode, true},
    // 5.2: the fewest bytes for the length, and its highest bit.
    {{.length_size = 2, .length = 0}, overlong},
    {{.payload = "x", .length_size = 2}, overlong},
    {{.length_size = 2, .length = 125}, overlong},
    {{.length_size = 8, .length = 0}, overlong},
    {{.length_size = 8, .length = 125}, overlong},
    {{.length_size = 8, .length = 126}, overlong},
    {{.length_size = 8, .length = 65535}, overlong},
    {{.opcode = wire::ping, .length_size = 2, .length = 5}, overlong},
    {{.opcode = wire::close, .length_size = 8, .length = 0}, overlong},
    {{.length = uint64_t{1} << 63}, highest_bit},
    {{.opcode = wire::binary, .length = UINT64_MAX}, highest_bit},
    // 5.4: fragments.
    {{.opcode = wire::continuation}, continues_nothing},
    {{.opcode = wire::continuation, .fin = false}, continues_nothing},
    {{.opcode = wire::text}, interrupts, true},
    {{.opcode = wire::binary, .fin = false}, interrupts, true},
    // 5.5: control frames.
    {{.opcode = wire::close, .fin = false}, fragmented},
    {{.opcode = wire::ping, .fin = false}, fragmented},
    {{.opcode = wire::pong, .fin = false}, fragmented, true},
    {{.opcode = wire::close, .length = 126}, too_long},
    {{.opcode = wire::ping, .length = 126}, too_long},
    {{.opcode = wire::pong, .length = 65536}, too_long, true},
};

} // namespace

TEST_CASE("the examples of RFC 6455 section 5.7 decode") {
  using namespace std::string_literals;
  const wire::message hello{wire::text, "Hello"};
  SECTION("a masked text message") {
    CHECK(decode("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58").messages == std::vector{hello});
  }
  SECTION("an unmasked text message") {
    CHECK(decode("\x81\x05Hello", sender::server).messages == std::vector{hello});
  }
  SECTION("a fragmented unmasked text message") {
    CHECK(decode("\x01\x03Hel\x80\x02lo", sender::server).messages == std::vector{hello});
  }
  SECTION("a ping and the pong to it") {
    CHECK(decode("\x89\x05Hello", sender::server).controls ==
          std::vector<wire::control>{{wire::ping, "Hello"}});
    CHECK(decode("\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58").controls ==
          std::vector<wire::control>{{wire::pong, "Hello"}});
  }
  SECTION("256 bytes and 64 KiB of binary data") {
    CHECK(decode("\x82\x7E\x01\x00"s + std::string(256, 'x'), sender::server).messages ==
          std::vector<wire::message>{{wire::binary, std::string(256, 'x')}});
    CHECK(
        decode("\x82\x7F\0\0\0\0\0\x01\0\0"s + std::string(65536, 'x'), sender::server).messages ==
        std::vector<wire::message>{{wire::binary, std::string(65536, 'x')}});
  }
}

TEST_CASE("each rule of RFC 6455 section 5 is kept") {
  const auto from = GENERATE(sender::client, sender::server);
  const bool is_client = from == sender::client;
  const auto send = is_client ? wire::from_client : wire::from_server;
  for (auto [bad, why, inside_message] : rules) {
    CAPTURE(is_client, why, inside_message, +bad.opcode, +bad.reserved);
    if (is_client)
      bad.mask = key;
    const auto stream = send(wire::text, "first", true) +
                        (inside_message ? send(wire::binary, "begun", false) : "") +
                        wire::encode(bad) + send(wire::text, "never seen", true);
    const auto got = decode(stream, from);
    CHECK(got.fault == end_reason::protocol_error);
    CHECK(got.messages == std::vector<wire::message>{{wire::text, "first"}});
    CHECK(got.unfinished.has_value() == inside_message);
    CHECK(got.controls.empty());
    CHECK(fault_text(stream, from) == why);
  }
}

TEST_CASE("a client masks all that it sends and a server nothing") {
  auto opcode = GENERATE(wire::text, wire::binary, wire::close, wire::ping, wire::pong);
  CAPTURE(+opcode);
  CHECK(fault_text(wire::from_server(opcode), sender::client) == "a client's frame isn't masked");
  CHECK(fault_text(wire::from_client(opcode), sender::server) == "a server's frame is masked");
  CHECK(decode(wire::from_server(opcode)).fault == end_reason::protocol_error);
  CHECK(decode(wire::from_client(opcode), sender::server).fault == end_reason::protocol_error);
  // A mask of zeros is a mask.
  CHECK_FALSE(decode(wire::encode({.opcode = opcode, .mask = 0})).fault);
}

TEST_CASE("a fault is told as soon as the head is there") {
  decoding run{sender::client, {}};
  CHECK_FALSE(run.feed(wire::encode({.opcode = wire::close, .mask = key, .length = 126})));
  CHECK(run.result().fault == end_reason::protocol_error);
}

TEST_CASE("every form of length carries its payload") {
  auto length = GENERATE(size_t{0}, 1, 2, 124, 125, 126, 127, 128, 65534, 65535, 65536, 65537);
  auto from = GENERATE(sender::client, sender::server);
  auto send = from == sender::client ? wire::from_client : wire::from_server;
  CAPTURE(length);
  const wire::message sent{wire::binary, std::string(length, '\xFF')};
  CHECK(decode(send(sent.opcode, sent.payload, true), from).messages == std::vector{sent});
}

TEST_CASE("a whole frame keeps its boundaries") {
  frame_decoder decoder{sender::client, {}};
  auto input = wire::from_client(wire::text, "Hel", false) + wire::from_client(wire::ping) +
               wire::from_client(wire::continuation, "", false) +
               wire::from_client(wire::continuation, "lo") + wire::from_client(wire::binary);
  auto in = std::as_writable_bytes(std::span{input});
  chunk_builder out{in.size() + max_head_size};
  CHECK(decoder.next(in, out) == frame_decoder::event::ping);
  CHECK(decoder.next(in, out) == frame_decoder::event::starved);
  CHECK(wire::to_text(out.seal().bytes()) == wire::from_server(wire::text, "Hel", false) +
                                                 wire::from_server(wire::continuation, "", false) +
                                                 wire::from_server(wire::continuation, "lo") +
                                                 wire::from_server(wire::binary));
}

// -- control frames -----------------------------------------------------------

TEST_CASE("control frames come between fragments and messages in their order") {
  using namespace wire;
  const std::string longest(125, 'p');
  const auto got = decode(
      from_client(ping, "1") + from_client(text, "a", false) + from_client(pong, longest) +
      from_client(continuation, "b", false) + from_client(ping) + from_client(continuation, "c") +
      from_client(ping, longest) + from_client(text, "d", false) +
      from_client(wire::close, close_payload(1001, "bye")) + from_client(text, "behind the close"));
  CHECK_FALSE(got.fault);
  CHECK(got.messages == std::vector<message>{{text, "abc"}});
  CHECK(got.unfinished == message{text, "d"});
  CHECK(got.controls == std::vector<control>{{ping, "1", 0, 0},
                                             {pong, longest, 0, 0},
                                             {ping, "", 0, 0},
                                             {ping, longest, 0, 1},
                                             {wire::close, "bye", 1001, 1}});
}

TEST_CASE("a ping may carry any bytes") {
  const std::string payload = "\xFF\xC0\x80";
  CHECK(decode(wire::from_client(wire::ping, payload)).controls ==
        std::vector<wire::control>{{wire::ping, payload}});
}

TEST_CASE("a close frame may come without a code") {
  CHECK(decode(wire::from_client(wire::close)).controls ==
        std::vector<wire::control>{{wire::close, "", 0}});
}

TEST_CASE("close codes that are for the wire") {
  auto code = static_cast<uint16_t>(GENERATE(1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011,
                                             1012, 1013, 1014, 3000, 3999, 4000, 4200, 4999));
  CAPTURE(code);
  CHECK(decode(wire::from_client(wire::close, wire::close_payload(code))).controls ==
        std::vector<wire::control>{{wire::close, "", code}});
  const std::string longest(123, 'r');
  CHECK(decode(wire::from_client(wire::close, wire::close_payload(code, longest))).controls ==
        std::vector<wire::control>{{wire::close, longest, code}});
}

TEST_CASE("close codes that are not for the wire") {
  auto code = static_cast<uint16_t>(
      GENERATE(0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535));
  CAPTURE(code);
  auto stream = wire::from_client(wire::close, wire::close_payload(code, "why"));
  CHECK(decode(stream).fault == end_reason::protocol_error);
  CHECK(fault_text(stream, sender::client) == "the close code may not stand in a close frame");
}

TEST_CASE("half a close code is a fault") {
  auto stream = wire::from_client(wire::close, "\x03");
  CHECK(decode(stream).fault == end_reason::protocol_error);
  CHECK(fault_text(stream, sender::client) == "a close frame has a payload of one byte");
}

TEST_CASE("the reason of a close frame is UTF-8") {
  auto close_with = [](std::string_view reason) {
    return decode(wire::from_client(wire::close, wire::close_payload(1000, reason)));
  };
  CHECK(close_with("gr\xC3\xBC\xC3\x9F").controls.at(0).payload == "gr\xC3\xBC\xC3\x9F");
  CHECK(close_with("\xFF").fault == end_reason::invalid_utf8);
  CHECK(close_with("cut \xE2\x82").fault == end_reason::invalid_utf8);
  CHECK(close_with("\xED\xA0\x80").fault == end_reason::invalid_utf8);
}

TEST_CASE("a close frame doesn't disturb the text around it") {
  // The character of an unfinished text isn't continued by the reason.
  const auto got = decode(wire::from_client(wire::text, "\xE2\x82", false) +
                          wire::from_client(wire::close, wire::close_payload(1000, "\xAC")));
  CHECK(got.fault == end_reason::invalid_utf8);
  CHECK(got.unfinished == wire::message{wire::text, "\xE2\x82"});
}
