#include "tests/bench/load/frame_reader.hpp"
#include "tests/bench/load/message_writer.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

using namespace tandem;
using namespace tandem::bench;
using kind = frame_event::kind;

namespace {

using bytes = std::vector<std::byte>;

/// A head whose length is yet to come.
net::frame_head head_of(net::opcode op, bool fin = true) {
  net::frame_head head;
  head.op = op;
  head.fin = fin;
  return head;
}

void append_frame(bytes& out, net::frame_head head, std::string_view payload) {
  head.length = payload.size();
  std::array<std::byte, net::max_head_size> room;
  auto n = net::write_head(head, room.data());
  out.insert(out.end(), room.begin(), room.begin() + static_cast<ptrdiff_t>(n));
  const auto* data = reinterpret_cast<const std::byte*>(payload.data());
  out.insert(out.end(), data, data + payload.size());
}

/// What a reader makes of `in`, given `step` bytes at a time: `text[hello]` for messages,
/// `(ping:x)` for control frames.
std::string read(const bytes& in, size_t step, bool compressed = false) {
  frame_reader reader{compressed};
  std::string told;
  bool inside = false;
  for (size_t at = 0; at < in.size(); at += step) {
    auto left = std::span{in}.subspan(at, std::min(step, in.size() - at));
    for (;;) {
      auto event = reader.next(left);
      std::string text{reinterpret_cast<const char*>(event.bytes.data()), event.bytes.size()};
      if (event.what == kind::none)
        break;
      if (event.what == kind::violation)
        return told + "!" + std::string{event.fault};
      if (event.what == kind::control) {
        told += "(" + std::to_string(static_cast<int>(event.op)) + ":" + text + ")";
        continue;
      }
      if (!inside)
        told += event.op == net::opcode::text ? "text[" : "binary[";
      told += text;
      inside = !event.last;
      if (event.last)
        told += "]";
    }
  }
  return told;
}

std::string violation(net::frame_head head, std::string_view payload = "") {
  bytes in;
  append_frame(in, head, payload);
  return read(in, in.size());
}

} // namespace

TEST_CASE("messages come out whatever their frames and the pieces in which those arrive") {
  bytes in;
  append_frame(in, head_of(net::opcode::text), "hello");
  append_frame(in, head_of(net::opcode::binary), "");
  append_frame(in, head_of(net::opcode::text, false), "on");
  append_frame(in, head_of(net::opcode::ping), "x");
  append_frame(in, head_of(net::opcode::continuation, false), "");
  append_frame(in, head_of(net::opcode::continuation), "e");
  append_frame(in, head_of(net::opcode::close), std::string(125, 'c'));
  append_frame(in, head_of(net::opcode::binary), std::string(300, 'y'));
  auto expected = "text[hello]binary[]text[on(9:x)e](8:" + std::string(125, 'c') + ")binary[" +
                  std::string(300, 'y') + "]";
  for (size_t step = 1; step <= in.size(); ++step)
    CHECK(read(in, step) == expected);
}

TEST_CASE("a server that breaks the protocol is found out") {
  using net::opcode;
  auto reserved = head_of(opcode::text);
  reserved.reserved = 4;
  CHECK(violation(reserved).starts_with("!a reserved bit"));
  CHECK(violation(head_of(static_cast<opcode>(3))).starts_with("!unknown opcode"));
  auto masked = head_of(opcode::text);
  masked.mask = net::mask_key{};
  CHECK(violation(masked).starts_with("!a frame from the server is masked"));
  CHECK(violation(head_of(opcode::ping, false)).starts_with("!a control frame is fragmented"));
  CHECK(violation(head_of(opcode::pong), std::string(126, 'x'))
            .starts_with("!a control frame is longer"));
  CHECK(violation(head_of(opcode::continuation)).starts_with("!a continuation without"));
  bytes twice;
  append_frame(twice, head_of(opcode::text, false), "a");
  append_frame(twice, head_of(opcode::text), "b");
  CHECK(read(twice, twice.size()) == "text[a!a new message begins inside a fragmented one");
}

TEST_CASE("a server that agreed on compression has to pass messages on as they were sent") {
  using net::opcode;
  auto read_all = [](const bytes& in) { return read(in, in.size(), true); };
  auto first = head_of(opcode::binary, false);
  first.reserved = net::compressed_bit;
  bytes good;
  append_frame(good, first, "a");
  append_frame(good, head_of(opcode::ping), "p");
  append_frame(good, head_of(opcode::continuation), "b");
  CHECK(read_all(good) == "binary[a(9:p)b]");
  bytes plain;
  append_frame(plain, head_of(opcode::binary), "a");
  CHECK(read_all(plain) == "!a message isn't compressed any more");
  auto again = head_of(opcode::continuation);
  again.reserved = net::compressed_bit;
  bytes repeated;
  append_frame(repeated, first, "a");
  append_frame(repeated, again, "b");
  CHECK(read_all(repeated) == "binary[a!a reserved bit is set where it may not be");
}

namespace {

/// Takes the masks off a client's frames, as a relay does.
bytes unmasked(const bytes& in) {
  bytes out;
  for (size_t at = 0; at < in.size();) {
    auto head = net::read_head(in.data() + at);
    REQUIRE(head.mask);
    at += net::head_size(in[at], in[at + 1]);
    std::string payload(head.length, ' ');
    net::apply_mask(in.data() + at, reinterpret_cast<std::byte*>(payload.data()), head.length,
                    *head.mask, 0);
    at += head.length;
    head.mask.reset();
    append_frame(out, head, payload);
  }
  return out;
}

bytes written(const script& what, size_t room_size, uint64_t count) {
  message_writer writer{what, 1, direction::to_worker};
  bytes out;
  bytes room(room_size);
  while (writer.has_more(count)) {
    auto n = writer.fill(room, count);
    out.insert(out.end(), room.begin(), room.begin() + static_cast<ptrdiff_t>(n));
  }
  CHECK(writer.started() == count);
  CHECK(writer.between_frames());
  return out;
}

} // namespace

TEST_CASE("what is written is the script, however little room there is at a time") {
  for (uint64_t fragment : {0, 1, 10, 1000}) {
    script what{.sizes = *size_mix::parse("0,1,125,126,700"), .fragment = fragment};
    std::string expected;
    for (uint64_t i = 0; i < 10; ++i) {
      auto message = what.message(1, direction::to_worker, i);
      std::string content(message.size(), ' ');
      message.write(0, std::as_writable_bytes(std::span{content}));
      expected += "binary[" + content + "]";
    }
    for (size_t room : {14U, 15U, 100U, 100'000U}) {
      auto frames = unmasked(written(what, room, 10));
      CHECK((read(frames, frames.size()) == expected));
    }
  }
}

TEST_CASE("a compressed script is written as compressed messages") {
  for (uint64_t fragment : {0, 10}) {
    script what{.sizes = size_mix{100}, .fragment = fragment, .compressed = true};
    const auto frames = unmasked(written(what, 1000, 3));
    const auto told = read(frames, frames.size(), true);
    CHECK(told.find('!') == std::string::npos);
    CHECK(std::ranges::count(told, '[') >= 3);
    CHECK(what.message(1, direction::to_worker, 0).size() == 100);
  }
}

TEST_CASE("a message that was begun is finished though the limit has shrunk") {
  script what{.sizes = size_mix{100}};
  message_writer writer{what, 1, direction::to_worker};
  bytes room(50);
  CHECK(writer.fill(room, 5) == 50);
  CHECK_FALSE(writer.between_frames());
  CHECK(writer.has_more(0));
  bytes rest(1000);
  CHECK(writer.fill(rest, 0) == 56);
  CHECK(writer.between_frames());
  CHECK_FALSE(writer.has_more(1));
}
