/// A stage whose connection and peer don't agree on compression.
#pragma once

#include "net/deflating.hpp"
#include "net/recoding.hpp"
#include "support/stage.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace tandem::test {

inline constexpr net::deflate_params off{};
inline constexpr net::deflate_params full{.agreed = true};

/// What a direction of the pair may have forwarded at most, without credit for it: half a window,
/// and the last piece.
inline constexpr int64_t most_unsettled = window / 2 + 500 + int64_t{sizeof(net::chunk_block)};

/// A connection that sends compressed messages to a peer that takes none, or as `own` and `takes`
/// have it.
struct recoding_stage : stage {
  explicit recoding_stage(net::deflate_params own = full, net::deflate_params takes = off,
                          bool waits_for_next_peer = false, uint64_t max_message = UINT64_MAX)
      : stage{waits_for_next_peer} {
    options->recode.max_message = max_message;
    agreed = own;
    start();
    bind(8, peer, takes);
    pairing.forget();
    heartbeat.forget();
  }

  /// Has the connection's other end send a compressed message.
  void receive_compressed(std::string_view text) { receive(compressed(text)); }

  std::string compressed(std::string_view text) {
    return net::frame_of({wire::binary, true, compress(text)});
  }

  /// Takes what was forwarded to `to`; returns what it cost.
  int64_t take_forwarded(probe& to) {
    int64_t cost = 0;
    while (!to.empty() && to.letters().front().content.match_element<atom::forward>(0)) {
      auto frames = to.take<atom::forward, net::chunk>();
      cost += static_cast<int64_t>(frames.cost());
      seen.add(text_of(frames));
    }
    return cost;
  }

  int64_t take_forwarded() { return take_forwarded(peer); }

  void credit(int64_t cost) { tell(peer, atom::credit::value, static_cast<uint64_t>(cost)); }

  /// The peer takes all that comes, until no more does. What it is given back is nothing to it.
  void take_all() {
    do {
      credit(take_forwarded());
      while (!peer.empty() && peer.letters().front().content.match_element<atom::credit>(0))
        peer.take<atom::credit, uint64_t>();
    } while (!peer.empty() && peer.letters().front().content.match_element<atom::forward>(0));
  }

  /// What the peer makes of the frames that were forwarded.
  struct reading {
    void add(std::string_view frames) {
      while (!frames.empty()) {
        auto x = wire::take_frame(frames);
        REQUIRE(x);
        if (x->opcode != wire::continuation)
          open = {x->opcode, x->reserved != 0, {}};
        open.payload += x->payload;
        inside = !x->fin;
        if (x->fin)
          messages.push_back(open);
      }
    }

    net::coded_message open;
    bool inside = false;
    std::vector<net::coded_message> messages;
  };

  wire::message_deflater compress;
  reading seen;
};

inline std::vector<net::coded_message> plain(const std::vector<std::string>& texts) {
  std::vector<net::coded_message> result;
  for (const auto& x : texts)
    result.push_back({wire::binary, false, x});
  return result;
}

} // namespace tandem::test
