/// The examples in docs/protocol.md are what the codec reads and writes.
#include "net/envelope.hpp"
#include "net/envelope_json.hpp"
#include "net/envelope_reader.hpp"
#include "wire.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <fstream>
#include <map>
#include <sstream>
#include <string>

using namespace tandem;
using namespace tandem::net;

namespace {

struct example {
  /// The message in tandem.v1.
  std::string bytes;
  /// In tandem.json.v1.
  std::string text;
};

/// "02 00 ... {" or "\"": bytes, then text.
std::string bytes_of(const std::string& line) {
  std::string result;
  std::istringstream in{line};
  for (std::string word; in >> word;) {
    if (word.front() == '{' || word.front() == '"') {
      auto rest = line.substr(line.find(word));
      result += word.front() == '"' ? rest.substr(1, rest.size() - 2) : rest;
      return result;
    }
    result.push_back(static_cast<char>(std::stoi(word, nullptr, 16)));
  }
  return result;
}

std::map<std::string, example> examples() {
  std::ifstream in{TANDEM_SOURCE_DIR "/docs/protocol.md"};
  std::map<std::string, example> result;
  std::string line;
  while (std::getline(in, line) && line != "```framed") {
  }
  while (std::getline(in, line) && line != "```") {
    if (line.empty())
      continue;
    std::string bytes;
    std::string text;
    REQUIRE(std::getline(in, bytes));
    REQUIRE(std::getline(in, text));
    CHECK(result.try_emplace(line, example{bytes_of(bytes), text}).second);
  }
  return result;
}

std::string payload_of(chunk_builder& x) {
  const auto frames = x.seal();
  auto rest = wire::to_text(frames.bytes());
  return wire::take_frame(rest)->payload;
}

/// What a reader of a worker's messages finds.
envelope read(framing frames, const std::string& message) {
  const auto frame =
      wire::from_server(frames == framing::json ? wire::text : wire::binary, message);
  envelope_reader reader{frames, role::worker, UINT64_MAX};
  reader.feed(std::as_bytes(std::span{frame}));
  const auto what = reader.next();
  INFO(reader.fault().text);
  REQUIRE((what == envelope_reader::event::data || what == envelope_reader::event::control));
  if (what == envelope_reader::event::control)
    return reader.control();
  const auto& x = reader.data();
  return {.type = x.op == opcode::text ? envelope_type::text : envelope_type::binary,
          .channel = x.channel,
          .text = std::string{wire::to_text(x.payload)}};
}

auto values(const envelope& x) {
  return std::tuple{static_cast<int>(x.type), x.channel, x.amount, x.code, x.text};
}

} // namespace

TEST_CASE("the examples of what peers send mean the same in both subprotocols", "[envelope]") {
  auto all = examples();
  const std::pair<const char*, envelope> expected[] = {
      {"text", {.type = envelope_type::text, .channel = 7, .text = "hello"}},
      {"binary", {.type = envelope_type::binary, .channel = 7, .text = std::string("\0\xFF", 2)}},
      {"close", {.type = envelope_type::close, .channel = 7, .code = 4001, .text = "done"}},
      {"close without a code", {.type = envelope_type::close, .channel = 7}},
      {"credit", {.type = envelope_type::credit, .channel = 7, .amount = 65536}},
      {"capacity", {.type = envelope_type::capacity, .amount = 64}},
      {"drain", {.type = envelope_type::drain}},
  };
  for (const auto& [name, what] : expected) {
    INFO(name);
    REQUIRE(all.contains(name));
    CHECK(values(read(framing::binary, all[name].bytes)) == values(what));
    CHECK(values(read(framing::json, all[name].text)) == values(what));
  }
}

TEST_CASE("the examples of what the broker sends are what it sends", "[envelope]") {
  auto all = examples();
  peer_info client{.id = 5, .side = role::client, .key = "gpu", .remote = "192.0.2.7:50312"};
  client.target = "/client/gpu?user=eva";
  client.headers = {{"X-Tenant", "acme"}};
  peer_info worker{.id = 9, .side = role::worker, .key = "gpu", .remote = "192.0.2.8:50313"};
  worker.host = 2;
  struct {
    const char* name;
    envelope_type type;
    uint32_t channel;
    std::string fields;
  } expected[] = {
      {"open, to a worker", envelope_type::open, 7, open_fields(worker, client, 262144)},
      {"open, to a client", envelope_type::open, 1, open_fields(client, worker, 196608)},
      {"event welcome", envelope_type::event, 0, welcome_fields(2, 30000, 0)},
      {"event waiting", envelope_type::event, 0, waiting_fields(3)},
      {"event peer-lost", envelope_type::event, 0, peer_lost_fields(true)},
      {"event draining", envelope_type::event, 0, draining_fields(0)},
  };
  for (const auto& [name, type, channel, fields] : expected) {
    INFO(name);
    REQUIRE(all.contains(name));
    chunk_builder out;
    append_json(out, framing::binary, type, channel, fields);
    CHECK(payload_of(out) == all[name].bytes);
    append_json(out, framing::json, type, channel, fields);
    CHECK(payload_of(out) == all[name].text);
  }
}
