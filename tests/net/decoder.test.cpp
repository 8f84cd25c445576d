// Text, limits, and large messages that are cut through.
#include "net/decoder.hpp"

#include "decoding.hpp"

#include <catch2/catch.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

using namespace tandem;
using namespace tandem::net;

namespace {

constexpr uint32_t key = 0x37FA213D;

} // namespace

// -- text ---------------------------------------------------------------------

TEST_CASE("a character of a text may be cut by fragments and control frames") {
  using namespace wire;
  const auto got = decode(from_client(text, "\xF0", false) + from_client(ping, "\xFF") +
                          from_client(continuation, "\x9F\x98", false) +
                          from_client(continuation, "", false) + from_client(continuation, "\x80"));
  CHECK_FALSE(got.fault);
  CHECK(got.messages == std::vector<message>{{text, "\xF0\x9F\x98\x80"}});
}

TEST_CASE("binary messages are not text") {
  using namespace wire;
  const auto got = decode(from_client(binary, "\xFF\xFE") + from_client(binary, "\xC3", false) +
                          from_client(continuation, "(") + from_client(text, "text"));
  CHECK_FALSE(got.fault);
  CHECK(got.messages.size() == 3);
}

TEST_CASE("a text that is no UTF-8 ends the stream and nothing of its frame comes out") {
  using namespace wire;
  struct row {
    std::string stream;
    std::optional<message> unfinished{};
  };
  auto x =
      GENERATE(row{from_client(text, "bad \xFF")}, row{from_client(text, "cut \xE2\x82")},
               row{from_client(text, "\xC3") + from_client(text, "\xA9")},
               row{from_client(text, "\xED\xA0\x80", false)}, row{from_client(text, "\x80", false)},
               row{from_client(text, "good", false) + from_client(continuation, "bad \xFF"),
                   message{text, "good"}},
               row{from_client(text, "good", false) + from_client(continuation, "bad \xFF", false),
                   message{text, "good"}},
               row{from_client(text, "cut \xE2\x82", false) + from_client(continuation, "("),
                   message{text, "cut \xE2\x82"}},
               row{from_client(text, "cut \xE2\x82", false) + from_client(continuation, ""),
                   message{text, "cut \xE2\x82"}});
  const auto got = decode(from_client(text, "first") + from_client(ping) + x.stream +
                          from_client(text, "never seen"));
  CHECK(got.fault == end_reason::invalid_utf8);
  CHECK(got.messages == std::vector<message>{{text, "first"}});
  CHECK(got.unfinished == x.unfinished);
}

TEST_CASE("an invalid text is told of before its frame has ended") {
  decoding run{sender::client, {}};
  const auto head_and_some =
      wire::encode({.payload = "good, then \xFF", .mask = key, .length = 100'000});
  CHECK(run.feed(head_and_some.substr(0, head_and_some.size() - 1)));
  CHECK_FALSE(run.feed(head_and_some.substr(head_and_some.size() - 1)));
  CHECK(run.result().fault == end_reason::invalid_utf8);
  CHECK_FALSE(run.result().unfinished);
}

// -- limits -------------------------------------------------------------------

TEST_CASE("a message of max_message passes and one byte more doesn't") {
  using namespace wire;
  const decoder_limits limits{.max_message = 10};
  auto size = GENERATE(size_t{9}, 10, 11);
  const std::string payload(size, 'm');
  auto stream = GENERATE_COPY(
      from_client(text, payload),
      from_client(text, payload.substr(0, 4), false) + from_client(ping, std::string(100, 'p')) +
          from_client(continuation, payload.substr(4)),
      from_client(text, "", false) + from_client(continuation, payload, false) +
          from_client(continuation, ""),
      from_client(text, payload.substr(0, 9), false) +
          from_client(continuation, payload.substr(9), false) + from_client(continuation, ""));
  CAPTURE(size);
  const auto got = decode(from_client(text, "before") + stream + from_client(text, "behind"),
                          sender::client, limits);
  if (size > 10) {
    CHECK(got.fault == end_reason::too_big);
    CHECK(got.messages == std::vector<message>{{text, "before"}});
  } else {
    CHECK_FALSE(got.fault);
    CHECK(got.messages ==
          std::vector<message>{{text, "before"}, {text, payload}, {text, "behind"}});
  }
}

TEST_CASE("a message that is too big is refused by its head alone") {
  auto length = GENERATE(uint64_t{1} << 20, (uint64_t{1} << 63) - 1);
  decoding run{sender::client, {.max_message = (1 << 20) - 1}};
  CHECK_FALSE(run.feed(wire::encode({.mask = key, .length = length})));
  CHECK(run.result().fault == end_reason::too_big);
}

TEST_CASE("the longest length that there is passes without a limit") {
  const auto start = wire::encode(
      {.opcode = wire::binary, .payload = "x", .mask = key, .length = UINT64_MAX >> 1});
  decoding run{sender::client, {}};
  CHECK(run.feed(start));
  CHECK_FALSE(run.result().fault);
}

TEST_CASE("with a limit of zero only empty messages pass") {
  const decoder_limits limits{.max_message = 0};
  CHECK(decode(wire::from_client(wire::text), sender::client, limits).messages.size() == 1);
  CHECK(decode(wire::from_client(wire::text, "x"), sender::client, limits).fault ==
        end_reason::too_big);
}

// -- cutting through ----------------------------------------------------------

TEST_CASE("a large message goes out piece by piece and is never held whole") {
  constexpr size_t piece = 4096;
  auto read = GENERATE(size_t{1}, 100, 4095, 4096, 4097, 50'000);
  CAPTURE(read);
  std::string payload;
  for (size_t i = 0; payload.size() < 300'000; ++i)
    payload += std::to_string(i) + " \xE2\x82\xAC ";
  decoding run{sender::client, {.max_message = payload.size(), .piece = piece}};
  auto stream = wire::from_client(wire::text, payload);
  size_t sent = 0;
  for (std::string_view rest = stream; !rest.empty();) {
    auto input = rest.substr(0, read);
    rest.remove_prefix(input.size());
    sent += input.size();
    REQUIRE(run.feed(input));
    // What isn't held has come out.
    REQUIRE(sent - run.forwarded().payload_bytes() <= piece + max_head_size);
  }
  CHECK(run.result().messages == std::vector<wire::message>{{wire::text, payload}});
  CHECK(run.decoder().held() == 0);
}

TEST_CASE("the pieces of a fragment that isn't the last don't end the message") {
  using namespace wire;
  const decoder_limits limits{.piece = 3};
  const auto got = decode(from_client(text, "0123456789", false) + from_client(ping) +
                              from_client(continuation, "abcdefghij"),
                          sender::client, limits);
  CHECK_FALSE(got.fault);
  CHECK(got.messages == std::vector<message>{{text, "0123456789abcdefghij"}});
  CHECK(got.controls == std::vector<control>{{ping, "", 0, 0}});
}

TEST_CASE("nothing is held between frames") {
  decoding run{sender::client, {}};
  CHECK(run.feed(wire::from_client(wire::text, "whole") +
                 wire::from_client(wire::text, "begun", false)));
  CHECK(run.decoder().held() == 0);
  CHECK(run.decoder().inside_message());
}

TEST_CASE("a claim of a long frame costs no memory before its bytes come") {
  decoding run{sender::client, {.piece = 64 << 10}};
  CHECK(run.feed(wire::encode({.opcode = wire::binary, .mask = key, .length = 1 << 30})));
  CHECK(run.decoder().held() < 100);
  CHECK(run.feed("one byte"));
  CHECK(run.decoder().held() < 100);
}

// -- a test for each bug ------------------------------------------------------

TEST_CASE("a text that fails at its last byte leaves no message open") {
  // It was thought to have begun to come out, so that a peer that waits for another was closed.
  decoding run{sender::client, {}};
  CHECK_FALSE(run.feed(wire::from_client(wire::text, "cut \xE2\x82")));
  CHECK_FALSE(run.decoder().inside_message());
}

TEST_CASE("the rest of a long frame and a short one fit into the room for one read") {
  // A chunk that grows by a copy costs twice the credit.
  constexpr size_t piece = 1 << 16;
  const auto from = GENERATE(sender::client, sender::server);
  auto send = from == sender::client ? wire::from_client : wire::from_server;
  decoding run{from, {.piece = piece}};
  const auto stream =
      send(wire::binary, std::string(3 * piece, 'x'), true) + send(wire::text, "y", true);
  constexpr size_t read = piece + max_head_size;
  CHECK(run.feed(stream.substr(0, read)));
  CHECK(run.feed(stream.substr(read)));
  CHECK(run.result().messages.size() == 2);
}
