#include "net/envelope.hpp"

#include "net/base64.hpp"
#include "net/envelope_json.hpp"
#include "net/envelope_reader.hpp"
#include "wire.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace tandem;
using namespace tandem::net;

namespace {

using json = nlohmann::json;

std::string bytes_of(chunk_builder& x) {
  return std::string{wire::to_text(x.seal().bytes())};
}

std::span<const std::byte> span_of(std::string_view x) {
  return std::as_bytes(std::span{x});
}

/// The payload of the one frame that `bytes` are.
std::string payload_of(const std::string& bytes, uint8_t opcode) {
  std::string_view rest = bytes;
  auto frame = wire::take_frame(rest);
  REQUIRE(frame);
  CHECK(rest.empty());
  CHECK(frame->fin);
  CHECK(frame->opcode == opcode);
  return frame->payload;
}

/// A head as a peer writes it.
std::string head(uint8_t type, uint32_t channel) {
  return wire::big_endian(type, 1) + wire::big_endian(0, 3) + wire::big_endian(channel, 4);
}

/// All that came out of a reader: data as "T7+text" (first, +) or "B7.bytes" (a piece that isn't
/// the last), and so on.
struct reading {
  std::vector<std::string> said;
  std::optional<ending> fault;
};

reading read(envelope_reader& reader, std::string_view frames) {
  reading result;
  reader.feed(span_of(frames));
  for (;;) {
    auto what = reader.next();
    if (what == envelope_reader::event::data) {
      const auto& x = reader.data();
      result.said.push_back((x.op == opcode::text ? "text " : "binary ") +
                            std::to_string(x.channel) + (x.first ? " [" : " ") +
                            std::string{wire::to_text(x.payload)} + (x.last ? "]" : ""));
    } else if (what == envelope_reader::event::control) {
      const auto& x = reader.control();
      auto type = std::to_string(static_cast<int>(x.type)) + " on " + std::to_string(x.channel);
      result.said.push_back(type + ": " + std::to_string(x.amount) + " " + std::to_string(x.code) +
                            " " + x.text);
    } else {
      if (what == envelope_reader::event::violation)
        result.fault = reader.fault();
      return result;
    }
  }
}

reading read_binary(std::string_view frames, role from = role::worker) {
  envelope_reader reader{framing::binary, from, UINT64_MAX};
  return read(reader, frames);
}

reading read_json(const std::string& text, role from = role::worker, uint64_t most = 1000) {
  envelope_reader reader{framing::json, from, most};
  return read(reader, wire::from_server(wire::text, text));
}

std::string binary(std::string payload) {
  return wire::from_server(wire::binary, std::move(payload));
}

using said = std::vector<std::string>;

} // namespace

// -- writing --------------------------------------------------------------------------------------

TEST_CASE("a message of tandem.v1 is a head of eight bytes and the payload", "[envelope]") {
  chunk_builder out;
  append_message(out, framing::binary, 0x01020304, opcode::text, span_of("hello"));
  CHECK(payload_of(bytes_of(out), wire::binary) ==
        std::string("\x02\0\0\0\x01\x02\x03\x04hello", 13));
  append_message(out, framing::binary, 7, opcode::binary, {});
  CHECK(payload_of(bytes_of(out), wire::binary) == head(3, 7));
}

TEST_CASE("the heads of a message say what the whole message does", "[envelope]") {
  for (size_t size : {0, 117, 118, 65527, 65528}) {
    chunk_builder whole;
    append_message(whole, framing::binary, 9, opcode::text, span_of(std::string(size, 'x')));
    chunk_builder parts;
    append_message_head(parts, 9, opcode::text, size);
    parts.append(span_of(std::string(size, 'x')));
    CHECK(bytes_of(parts) == bytes_of(whole));
  }
}

TEST_CASE("a close has a code and a reason, or neither", "[envelope]") {
  chunk_builder out;
  append_close(out, framing::binary, 7, 4200, "gone");
  CHECK(payload_of(bytes_of(out), wire::binary) == head(4, 7) + wire::close_payload(4200, "gone"));
  append_close(out, framing::binary, 7, 0, "not told");
  CHECK(payload_of(bytes_of(out), wire::binary) == head(4, 7));
  append_close(out, framing::json, 7, 4200, "gone");
  CHECK(payload_of(bytes_of(out), wire::text) ==
        R"({"type":"close","channel":7,"code":4200,"reason":"gone"})");
  append_close(out, framing::json, 7, 0, "not told");
  CHECK(payload_of(bytes_of(out), wire::text) == R"({"type":"close","channel":7})");
}

TEST_CASE("a reason is cut to what a close frame has room for", "[envelope]") {
  chunk_builder out;
  append_close(out, framing::binary, 7, 1000, std::string(200, 'r'));
  CHECK(payload_of(bytes_of(out), wire::binary).size() ==
        envelope_head_size + max_envelope_control);
}

TEST_CASE("a credit is a number of bytes", "[envelope]") {
  chunk_builder out;
  append_credit(out, framing::binary, 7, 65536);
  CHECK(payload_of(bytes_of(out), wire::binary) == head(5, 7) + wire::big_endian(65536, 4));
  append_credit(out, framing::json, 7, 65536);
  CHECK(payload_of(bytes_of(out), wire::text) == R"({"type":"credit","channel":7,"bytes":65536})");
}

TEST_CASE("in tandem.json.v1 a message is text or base64", "[envelope]") {
  chunk_builder out;
  append_message(out, framing::json, 7, opcode::text, span_of("say \"hi\"\n\xC3\xA9"));
  CHECK(payload_of(bytes_of(out), wire::text) ==
        "{\"type\":\"message\",\"channel\":7,\"text\":\"say \\\"hi\\\"\\n\xC3\xA9\"}");
  append_message(out, framing::json, 7, opcode::binary, span_of(std::string_view{"\0\xFF", 2}));
  CHECK(payload_of(bytes_of(out), wire::text) ==
        R"({"type":"message","channel":7,"base64":"AP8="})");
}

TEST_CASE("what is open is told to each side in its own words", "[envelope]") {
  peer_info worker{.id = 3, .side = role::worker, .key = "gpu", .remote = "10.0.0.1:80"};
  worker.host = 2;
  peer_info client{.id = 5, .side = role::client, .key = "gpu", .remote = "10.0.0.2:99"};
  client.subprotocol = "chat";
  client.target = "/client/gpu?a=%20&b?c";
  client.headers = {{"Origin", "https://a.example"}, {"X-User", "caf\xE9"}};
  auto to_worker = json::parse(open_fields(worker, client, 1000));
  CHECK(to_worker["path"] == "/client/gpu");
  CHECK(to_worker["query"] == "a=%20&b?c");
  // What isn't UTF-8 is made so.
  CHECK(to_worker["headers"] ==
        json{{"origin", "https://a.example"}, {"x-user", "caf\xEF\xBF\xBD"}});
  CHECK(to_worker["key"] == "gpu");
  CHECK(to_worker["client"] == 5);
  CHECK(to_worker["remote"] == "10.0.0.2:99");
  CHECK(to_worker["subprotocols"] == json::array({"chat"}));
  CHECK(to_worker["credit"] == 1000);
  client.target = "/client/gpu";
  CHECK(json::parse(open_fields(worker, client, 1000))["query"] == "");
  // A channel's id means nothing to anybody; its worker's does.
  CHECK(json::parse(open_fields(client, worker, 7)) ==
        json{{"key", "gpu"}, {"worker", 2}, {"credit", 7}});
}

TEST_CASE("JSON of the broker's is the payload in tandem.v1, and part of the message in JSON",
          "[envelope]") {
  chunk_builder out;
  append_json(out, framing::binary, envelope_type::event, 0, waiting_fields(3));
  CHECK(payload_of(bytes_of(out), wire::binary) ==
        head(8, 0) + R"({"event":"waiting","position":3})");
  append_json(out, framing::json, envelope_type::event, 0, waiting_fields(3));
  CHECK(payload_of(bytes_of(out), wire::text) ==
        R"({"type":"event","event":"waiting","position":3})");
  append_json(out, framing::json, envelope_type::open, 7, R"({"key":"gpu"})");
  CHECK(payload_of(bytes_of(out), wire::text) == R"({"type":"open","channel":7,"key":"gpu"})");
}

TEST_CASE("events", "[envelope]") {
  CHECK(welcome_fields(7, 30000, 0) == R"({"event":"welcome","connection":7,"heartbeat":30000})");
  CHECK(welcome_fields(7, 0, 65536) ==
        R"({"event":"welcome","connection":7,"heartbeat":0,"credit":65536})");
  CHECK(peer_lost_fields(true) == R"({"event":"peer-lost","rematching":true})");
  CHECK(draining_fields(0) == R"({"event":"draining","grace":0})");
}

TEST_CASE("base64 has one text for each run of bytes", "[envelope]") {
  const std::pair<std::string, std::string> pairs[] = {
      {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"\xFB\xFF", "+/8="}};
  for (const auto& [bytes, text] : pairs) {
    CHECK(to_base64(span_of(bytes)) == text);
    CHECK(from_base64(text) == bytes);
  }
  for (const auto* wrong : {"Z", "Zg", "Zg=", "Zh==", "Zm9=", "Z===", "====", "=", "Zm 9", "Zm9-",
                            "Zg==Zg==", "Zm9v\n"})
    CHECK_FALSE(from_base64(wrong));
}

// -- reading --------------------------------------------------------------------------------------

TEST_CASE("messages of tandem.v1 are read wherever they are cut", "[envelope]") {
  const auto whole = head(2, 7) + "hello";
  CHECK(read_binary(binary(whole)).said == said{"text 7 [hello]"});
  for (size_t cut = 0; cut <= whole.size(); ++cut) {
    auto frames = wire::from_server(wire::binary, whole.substr(0, cut), false) +
                  wire::from_server(wire::continuation, whole.substr(cut));
    auto got = read_binary(frames);
    std::string text;
    for (const auto& x : got.said)
      text += x.substr(7);
    CHECK_FALSE(got.fault);
    CHECK((text == "[hello]" || text == "[" + whole.substr(8, cut - 8) + whole.substr(cut) + "]"));
  }
}

TEST_CASE("a piece is told with what it begins and ends", "[envelope]") {
  auto frames = wire::from_server(wire::binary, head(3, 9) + "one", false) +
                wire::from_server(wire::continuation, "two", false) +
                wire::from_server(wire::continuation, "", false) +
                wire::from_server(wire::continuation, "") + binary(head(3, 4));
  CHECK(read_binary(frames).said ==
        said{"binary 9 [one", "binary 9 two", "binary 9 ]", "binary 4 []"});
}

TEST_CASE("text is checked across pieces", "[envelope]") {
  auto begin = wire::from_server(wire::binary, head(2, 7) + "\xC3", false);
  CHECK_FALSE(read_binary(begin + wire::from_server(wire::continuation, "\xA9")).fault);
  CHECK(read_binary(begin + wire::from_server(wire::continuation, "x")).fault->reason ==
        end_reason::invalid_utf8);
  CHECK(read_binary(begin + wire::from_server(wire::continuation, "")).fault->code == 1007);
  // Binary data is nobody's business.
  CHECK(read_binary(binary(head(3, 7) + "\xC3")).said == said{"binary 7 [\xC3]"});
}

TEST_CASE("what isn't data is read whole", "[envelope]") {
  const auto close = head(4, 7) + wire::close_payload(4001, "bye");
  CHECK(read_binary(binary(close)).said == said{"4 on 7: 0 4001 bye"});
  CHECK(read_binary(wire::from_server(wire::binary, close.substr(0, 9), false) +
                    wire::from_server(wire::continuation, close.substr(9)))
            .said == said{"4 on 7: 0 4001 bye"});
  CHECK(read_binary(binary(head(4, 7))).said == said{"4 on 7: 0 0 "});
  CHECK(read_binary(binary(head(5, 7) + wire::big_endian(70000, 4))).said ==
        said{"5 on 7: 70000 0 "});
  CHECK(read_binary(binary(head(6, 0) + wire::big_endian(64, 4))).said == said{"6 on 0: 64 0 "});
  CHECK(read_binary(binary(head(7, 0))).said == said{"7 on 0: 0 0 "});
}

TEST_CASE("what is malformed is named", "[envelope]") {
  struct {
    std::string frames;
    const char* text;
    role from = role::worker;
  } cases[] = {
      {wire::from_server(wire::text, head(2, 7) + "x"), "a message of tandem.v1 isn't binary"},
      {binary("1234567"), "a message is shorter than its head"},
      {binary(""), "a message is shorter than its head"},
      {binary(head(0, 7)), "the type of a message isn't known"},
      {binary(head(9, 7)), "the type of a message isn't known"},
      {binary(std::string("\x02\0\x01\0\0\0\0\x07", 8)),
       "bytes 1 to 3 of a message's head aren't zero"},
      {binary(head(2, 0) + "x"), "a message of data is on channel 0"},
      {binary(head(4, 0)), "a close is on channel 0"},
      {binary(head(5, 0) + "1234"), "a credit is on channel 0"},
      {binary(head(1, 7) + "{}"), "only the broker sends open"},
      {binary(head(8, 0) + "{}"), "only the broker sends events"},
      {binary(head(6, 7) + "1234"), "a capacity isn't on channel 0"},
      {binary(head(7, 7)), "a drain isn't on channel 0"},
      {binary(head(6, 0) + "1234"), "only a worker has a capacity", role::client},
      {binary(head(7, 0)), "only a worker can drain", role::client},
      {binary(head(5, 7) + "123"), "the payload of a credit isn't 4 bytes long"},
      {binary(head(6, 0) + "12345"), "the payload of a capacity isn't 4 bytes long"},
      {binary(head(7, 0) + "x"), "a drain has a payload"},
      {binary(head(4, 7) + "x"), "a close has a payload of one byte"},
      {binary(head(4, 7) + wire::close_payload(1005)),
       "the code of a close may not stand in a close frame"},
      {binary(head(4, 7) + wire::close_payload(0)),
       "the code of a close may not stand in a close frame"},
      {binary(head(4, 7) + wire::close_payload(1000, std::string(124, 'r'))),
       "the payload of a message that isn't data is longer than 125 bytes"},
  };
  for (const auto& x : cases) {
    auto got = read_binary(x.frames + binary(head(2, 7) + "behind"), x.from);
    CHECK(got.said.empty());
    REQUIRE(got.fault);
    CHECK(got.fault->text == x.text);
    CHECK(got.fault->code == 1002);
  }
  CHECK(read_binary(binary(head(4, 7) + wire::close_payload(1000, "\xFF"))).fault->code == 1007);
}

TEST_CASE("messages before a fault are read", "[envelope]") {
  auto got = read_binary(binary(head(2, 7) + "fine") + binary("x"));
  CHECK(got.said == said{"text 7 [fine]"});
  CHECK(got.fault);
}

TEST_CASE("messages of tandem.json.v1", "[envelope]") {
  CHECK(read_json(R"({"type":"message","channel":7,"text":"h\u00e9"})").said ==
        said{"text 7 [h\xC3\xA9]"});
  CHECK(read_json(R"({"type":"message","channel":7,"base64":"/w==","more":1})").said ==
        said{"binary 7 [\xFF]"});
  CHECK(read_json(R"({"type":"close","channel":7,"code":1000,"reason":"r"})").said ==
        said{"4 on 7: 0 1000 r"});
  CHECK(read_json(R"({"type":"close","channel":7})").said == said{"4 on 7: 0 0 "});
  CHECK(read_json(R"({"type":"credit","channel":7,"bytes":4294967295})").said ==
        said{"5 on 7: 4294967295 0 "});
  CHECK(read_json(R"({"type":"capacity","slots":64})").said == said{"6 on 0: 64 0 "});
  CHECK(read_json(R"({"type":"drain"})").said == said{"7 on 0: 0 0 "});
}

TEST_CASE("JSON is put together from fragments", "[envelope]") {
  envelope_reader reader{framing::json, role::worker, 100};
  auto first = read(reader, wire::from_server(wire::text, R"({"type":"message",)", false));
  CHECK(first.said.empty());
  auto rest = read(reader, wire::from_server(wire::continuation, R"("channel":1,"text":"x"})") +
                               wire::from_server(wire::text, R"({"type":"drain"})"));
  CHECK(rest.said == said{"text 1 [x]", "7 on 0: 0 0 "});
}

TEST_CASE("what is malformed in JSON is named", "[envelope]") {
  struct {
    std::string json;
    const char* text;
    role from = role::worker;
  } cases[] = {
      {"", "a message is no JSON object"},
      {"[]", "a message is no JSON object"},
      {R"({"type":"drain")", "a message is no JSON object"},
      {R"({"type":"drain"}{})", "a message is no JSON object"},
      {R"({"type":"drain","x":)" + std::string(100, '[') + std::string(100, ']') + "}",
       "a message is no JSON object"},
      {R"({"channel":7})", "a message has no type"},
      {R"({"type":2,"channel":7})", "a message has no type"},
      {R"({"type":"Message","channel":7,"text":""})", "the type of a message isn't known"},
      {R"({"type":"message","text":""})", "a message of data is on channel 0"},
      {R"({"type":"message","channel":-7,"text":""})", "a channel is no number of 32 bits"},
      {R"({"type":"message","channel":4294967296,"text":""})", "a channel is no number of 32 bits"},
      {R"({"type":"message","channel":7})", "a message has either text or base64"},
      {R"({"type":"message","channel":7,"text":"","base64":""})",
       "a message has either text or base64"},
      {R"({"type":"message","channel":7,"text":7})", "the payload of a message is no string"},
      {R"({"type":"message","channel":7,"base64":"Zh=="})",
       "the payload of a message is no valid base64"},
      {R"({"type":"close","channel":7,"code":1005})",
       "the code of a close may not stand in a close frame"},
      {R"({"type":"close","channel":7,"code":"1000"})",
       "the code of a close may not stand in a close frame"},
      {R"({"type":"close","channel":7,"reason":"r"})", "a close has a reason but no code"},
      {R"({"type":"close","channel":7,"code":1000,"reason":1})",
       "the reason of a close is no string"},
      {R"({"type":"credit","channel":7})", "no number of 32 bits: bytes"},
      {R"({"type":"credit","channel":7,"bytes":1.5})", "no number of 32 bits: bytes"},
      {R"({"type":"capacity","slots":-1})", "no number of 32 bits: slots"},
      {R"({"type":"capacity","slots":1})", "only a worker has a capacity", role::client},
      {R"({"type":"open","channel":7})", "only the broker sends open"},
      {R"({"type":"event"})", "only the broker sends events"},
  };
  for (const auto& x : cases) {
    INFO(x.json);
    auto got = read_json(x.json, x.from);
    CHECK(got.said.empty());
    REQUIRE(got.fault);
    CHECK(got.fault->text == x.text);
    CHECK(got.fault->code == 1002);
  }
  CHECK(read_json(R"({"type":"message","channel":7,"text":")" + std::string(1001, 'x') + "\"}")
            .fault->code == 1009);
  envelope_reader reader{framing::json, role::worker, 100};
  CHECK(read(reader, binary("{}")).fault->text == "a message of tandem.json.v1 isn't text");
}

TEST_CASE("what the broker writes, a peer's reader could read", "[envelope]") {
  for (auto frames : {framing::binary, framing::json}) {
    chunk_builder out;
    append_message(out, frames, 7, opcode::text, span_of("caf\xC3\xA9"));
    append_message(out, frames, 8, opcode::binary, span_of("\xFF"));
    append_close(out, frames, 9, 4321, "r");
    append_credit(out, frames, 10, 5);
    envelope_reader reader{frames, role::worker, 100};
    CHECK(read(reader, bytes_of(out)).said ==
          said{"text 7 [caf\xC3\xA9]", "binary 8 [\xFF]", "4 on 9: 0 4321 r", "5 on 10: 5 0 "});
  }
}

TEST_CASE("a message of the largest payload is within its overhead", "[envelope]") {
  for (size_t size : {0, 1, 1000, 100000}) {
    for (auto op : {opcode::text, opcode::binary}) {
      // The longest that JSON makes of a byte.
      const std::string payload(size, '\x01');
      for (auto frames : {framing::binary, framing::json}) {
        chunk_builder out;
        append_message(out, frames, UINT32_MAX, op, span_of(payload));
        CHECK(
            payload_of(bytes_of(out), frames == framing::json ? wire::text : wire::binary).size() <=
            size + most_overhead(frames, size));
      }
    }
  }
  CHECK(most_overhead(framing::raw, 1000) == 0);
  CHECK(most_overhead(framing::json, UINT64_MAX - 1) == 1);
}
