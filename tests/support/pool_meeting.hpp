/// A meeting at which pools are made.
#pragma once

#include "actors/id.hpp"
#include "support/meeting.hpp"

#include <string>
#include <utility>

namespace tandem::test {

inline constexpr std::chrono::seconds worker_patience{20};

struct pool_meeting : meeting {
  struct host {
    peer_info who;
    probe actor;
  };

  static pairing_options with(pairing_options options = {}) {
    if (options.mode == pairing_mode::exclusive)
      options.mode = pairing_mode::pool;
    options.wait_timeout = worker_patience;
    return options;
  }

  explicit pool_meeting(pairing_options options = {}) : meeting{with(options)} {
    // The tests' own ids are smaller than those that the pairing gives to channels.
    while (next_id() < 100'000) {
    }
  }

  verdict ask(claim request) {
    tell(admission, std::move(request));
    return admission.take<verdict>();
  }

  /// A host's worker asks, and its connection comes.
  host& enlist(uint64_t id, uint32_t capacity, const std::string& key = "key") {
    REQUIRE(ask({.ticket = id,
                 .side = role::worker,
                 .key = key,
                 .frames = framing::binary,
                 .capacity = capacity})
                .why == refusal::none);
    return come(id, capacity, key);
  }

  host& come(uint64_t id, uint32_t capacity, const std::string& key = "key",
             std::vector<channel_ref> channels = {}) {
    peer_info who{id, role::worker, key, "remote"};
    who.frames = framing::binary;
    who.capacity = capacity;
    auto& x = hosts.try_emplace(id, host{who, probe{w}}).first->second;
    tell(x.actor, atom::enlist::value,
         host_member{share(x.who), x.actor.as<host_actor>(), capacity, 0, false,
                     std::move(channels)});
    return x;
  }

  /// The host was told to open a channel, and to do nothing else before; does so.
  guest& open_next(host& x, uint64_t client) {
    auto [channel, who] = x.actor.take<atom::open, uint64_t, peer_info>();
    CHECK(who.id == client);
    return join_channel(channel, x.who.id, x.who.key);
  }

  guest& join_channel(uint64_t channel, uint64_t host_id, const std::string& key = "key",
                      uint64_t peer = 0) {
    peer_info info{channel, role::worker, key, "remote"};
    info.frames = framing::binary;
    info.host = host_id;
    auto& who = guests.try_emplace(channel, guest{info, probe{w}}).first->second;
    join_again(who, peer);
    return who;
  }

  /// As it does at its start, or when it is told to join again.
  void join_again(const guest& who, uint64_t peer = 0) {
    tell(who.actor, atom::join::value,
         member{share(who.who), who.actor.as<connection_actor>(), peer, 0});
  }

  guest& join_framed(uint64_t id, const std::string& key = "key") {
    peer_info info{id, role::client, key, "remote"};
    info.frames = framing::json;
    auto& who = guests.try_emplace(id, guest{info, probe{w}}).first->second;
    join_again(who);
    return who;
  }

  void leave(const host& x, ending how = ending::by(end_reason::vanished)) {
    x.actor.exit(make_error(how));
    w.settle();
  }

  using meeting::leave;

  std::map<uint64_t, host> hosts;
};

/// It was told that this peer has gone, and nothing else.
inline void check_lost(meeting::guest& who, uint64_t peer) {
  CHECK(std::get<0>(who.actor.take<atom::peer_end, uint64_t, ending>()) == peer);
  CHECK(who.actor.empty());
}

/// As check_lost, and it is asked whether it is rid of it.
inline void check_lost_and_asked(meeting::guest& who, uint64_t peer) {
  CHECK(std::get<0>(who.actor.take<atom::peer_end, uint64_t, ending>()) == peer);
  who.actor.take<atom::rejoin>();
  CHECK(who.actor.empty());
}

} // namespace tandem::test
