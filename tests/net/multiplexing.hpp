/// A multiplexer over a link that the test plays, and owners of its channels that write down what
/// they hear.
#pragma once

#include "decoding.hpp"
#include "net/multiplexer.hpp"
#include "support/world.hpp"
#include "wire.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tandem::net {

/// The owner of a channel.
struct channel_owner final : link_events {
  void on_chunk(chunk frames) override {
    ++chunks;
    got.add(frames.bytes());
  }
  void on_sent(size_t cost) override { sent += cost; }
  void on_hangup() override { ++hangups; }
  void on_end(const ending& how) override { end = how; }

  /// What came on the channel, as "text:..." or "binary:...".
  std::vector<std::string> messages() const {
    std::vector<std::string> result;
    for (const auto& x : got.messages())
      result.push_back((x.opcode == wire::text ? "text:" : "binary:") + x.payload);
    return result;
  }

  reassembly got;
  int chunks = 0;
  size_t sent = 0;
  int hangups = 0;
  std::optional<ending> end;
};

/// A message as the framed peer writes or reads it: the head, and what follows it.
struct framed {
  uint8_t type;
  uint32_t channel;
  std::string payload;

  bool operator==(const framed&) const = default;
};

inline std::string to_text(const framed& x) {
  return wire::big_endian(x.type, 1) + wire::big_endian(0, 3) + wire::big_endian(x.channel, 4) +
         x.payload;
}

inline chunk chunk_of_frames(const std::string& frames) {
  return make_chunk(std::as_bytes(std::span{frames}));
}

/// Frames of the peer's, as its session delivers them.
inline chunk from_peer(const std::vector<framed>& messages) {
  std::string frames;
  for (const auto& x : messages)
    frames += wire::from_server(wire::binary, to_text(x));
  return chunk_of_frames(frames);
}

/// What was sent to the peer, in tandem.v1.
inline std::vector<framed> to_peer(const std::vector<chunk>& sent) {
  std::vector<framed> result;
  // The payload of a large message is a chunk by itself.
  std::string all;
  for (const auto& x : sent)
    all += wire::to_text(x.bytes());
  std::string_view rest = all;
  while (!rest.empty()) {
    auto frame = wire::take_frame(rest);
    REQUIRE(frame);
    CHECK(frame->fin);
    CHECK(frame->opcode == wire::binary);
    REQUIRE(frame->payload.size() >= 8);
    CHECK(frame->payload.substr(1, 3) == std::string(3, '\0'));
    const auto number = wire::read_big_endian(std::string_view{frame->payload}.substr(4, 4));
    result.push_back({static_cast<uint8_t>(frame->payload[0]), static_cast<uint32_t>(number),
                      frame->payload.substr(8)});
  }
  return result;
}

/// A chunk with one whole text, as a channel's owner sends it.
inline chunk text_chunk(std::string_view text) {
  return chunk_of_frames(wire::from_server(wire::text, std::string{text}));
}

struct hub_events final : multiplexer_events {
  void on_capacity(uint32_t slots) override { capacities.push_back(slots); }
  void on_drain() override { ++drains; }
  void on_end(const ending& how) override { end = how; }

  std::vector<uint32_t> capacities;
  int drains = 0;
  std::optional<ending> end;
};

inline constexpr int64_t channel_window = 4000;

/// A worker's connection with many channels.
struct hub_test {
  explicit hub_test(multiplexer_options options = {.slots = 100}, framing frames = framing::binary)
      : hub{std::make_unique<multiplexer>(
            link_ptr{&session},
            share({.id = 2, .side = role::worker, .key = "gpu", .remote = "w", .frames = frames}),
            options, events)} {
    hub->start();
  }

  struct guest {
    link_ptr link;
    channel_owner owner;
    uint32_t number = 0;
  };

  /// A channel, of which the peer is not told yet.
  guest& add(int64_t window = channel_window) {
    auto& x = *guests.emplace_back(std::make_unique<guest>());
    x.link = hub->open();
    x.link->allow(window);
    x.link->start(x.owner);
    return x;
  }

  void bind(guest& x, uint64_t client = 5) {
    x.link->tell_bound(share({.id = client, .side = role::client, .key = "gpu", .remote = "c"}));
  }

  /// A channel that the peer knows, all of which is out of the way.
  guest& open(int64_t window = channel_window) {
    auto& x = add(window);
    bind(x);
    session.flush();
    REQUIRE_FALSE(session.sent.empty());
    const auto opened = to_peer(session.sent).back();
    REQUIRE(opened.type == 1);
    x.number = opened.channel;
    take_sent();
    return x;
  }

  /// What the turn sends to the peer; the kernel takes it all.
  std::vector<framed> turn() {
    session.flush();
    return take_sent();
  }

  std::vector<framed> take_sent() {
    std::vector<framed> result;
    // What leaves makes room for more.
    while (!session.sent.empty()) {
      for (auto& x : to_peer(std::exchange(session.sent, {})))
        result.push_back(std::move(x));
      session.drain();
    }
    return result;
  }

  void receive(const std::vector<framed>& messages) { session.receive(from_peer(messages)); }

  test::world w;
  test::fake_link& session = w.make_link();
  hub_events events;
  std::unique_ptr<multiplexer> hub;
  std::vector<std::unique_ptr<guest>> guests;
};

} // namespace tandem::net
