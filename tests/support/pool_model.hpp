/// What a pool has to do, in a few lines: what is free is given to whoever is first, and to nobody
/// else.
#pragma once

#include "support/pool_meeting.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <tuple>

namespace tandem::test {

/// Compares the pairing, which is the only one that isn't played, to the model.
struct pool_model : pool_meeting {
  using pool_meeting::pool_meeting;

  enum class stage { unknown, waiting, promised, opening, bound, parting, ending };

  struct client {
    int32_t priority = 0;
    bool fresh = true;
    bool joined = false;
    stage at = stage::waiting;
    uint64_t peer = 0;
    world::time since{};
  };

  struct worker {
    bool host;
    uint32_t capacity;
    bool draining = false;
    /// The pairing has heard of it.
    bool known = true;
    /// Connections on its side that have, or had, a client.
    std::set<uint64_t> taken = {};
  };

  // -- the model

  size_t free() const {
    size_t sum = 0;
    for (const auto& [id, x] : workers)
      if (x.known && !x.draining && x.taken.size() < x.capacity)
        sum += x.capacity - x.taken.size();
    const auto promised = count(stage::promised);
    CHECK(promised <= sum);
    return sum - promised;
  }

  size_t count(stage at) const {
    return static_cast<size_t>(
        std::ranges::count_if(clients, [&](const auto& x) { return x.second.at == at; }));
  }

  /// Gives what is free to whoever is first.
  void serve() {
    std::set<std::tuple<bool, int32_t, uint64_t>> queue;
    for (const auto& [id, x] : clients)
      if (x.at == stage::waiting)
        queue.emplace(x.fresh, -x.priority, id);
    for (auto n = free(); n > 0 && !queue.empty(); --n) {
      clients.at(std::get<2>(*queue.begin())).at = stage::promised;
      queue.erase(queue.begin());
    }
  }

  void queue_up(client& x) {
    x.at = stage::waiting;
    x.peer = 0;
    x.since = w.now();
  }

  // -- what everyone is told

  void compare() {
    serve();
    for (auto& [id, x] : hosts)
      hear(x.actor, caf::message_handler{
                        [&, me = id](atom::open, uint64_t channel, const peer_info& who) {
                          on_open(me, channel, who.id);
                        },
                        [&, me = id](atom::end, end_reason reason) { on_end_of_host(me, reason); },
                    });
    for (auto& [id, x] : guests)
      hear(x.actor,
           caf::message_handler{
               [&, me = id](atom::bind, const peer_ref& peer) { on_bind(me, peer.who->id); },
               [&, me = id](atom::peer_end, uint64_t peer, const ending& how) {
                 on_peer_end(me, peer, how);
               },
               [&, me = id](atom::rejoin) { to_answer.insert(me); },
               [&, me = id](atom::end, end_reason reason) { on_end(me, reason); },
               [&](atom::position, uint32_t) {},
           });
    for (const auto& [id, x] : clients) {
      INFO("client " << id);
      CHECK_FALSE((x.at == stage::promised && x.joined));
      if (x.at == stage::bound)
        CHECK(peers.at(x.peer) == id);
    }
    for (const auto& [id, peer] : peers)
      CHECK(clients.at(peer).peer == id);
  }

  static void hear(const probe& who, caf::message_handler what) {
    for (auto letter : who.letters()) {
      INFO(caf::to_string(letter.content));
      CHECK(what(letter.content));
    }
    const_cast<probe&>(who).forget();
  }

  void take_slot(uint64_t worker_id, uint64_t slot) {
    auto& x = workers.at(worker_id);
    CHECK_FALSE(x.draining);
    CHECK(x.taken.size() < x.capacity);
    CHECK(x.taken.insert(slot).second);
  }

  void on_open(uint64_t host_id, uint64_t channel, uint64_t id) {
    INFO("client " << id);
    auto& x = clients.at(id);
    CHECK((x.at == stage::promised && x.joined));
    take_slot(host_id, channel);
    x.at = stage::opening;
    x.peer = channel;
    peer_info who{channel, role::worker, "key", "remote"};
    who.host = host_id;
    guests.try_emplace(channel, guest{who, probe{w}});
    opening.insert(channel);
  }

  void on_bind(uint64_t id, uint64_t peer) {
    INFO("client " << id << " peer " << peer);
    auto at = clients.find(id);
    if (at == clients.end()) {
      CHECK(peers.try_emplace(id, peer).second);
      return;
    }
    auto& x = at->second;
    CHECK(x.joined);
    if (x.at == stage::opening) {
      CHECK(x.peer == peer);
    } else {
      CHECK(x.at == stage::promised);
      take_slot(peer, peer);
    }
    x.at = stage::bound;
    x.peer = peer;
  }

  void on_peer_end(uint64_t id, uint64_t peer, const ending& how) {
    if (auto at = clients.find(id); at != clients.end()) {
      CHECK(at->second.peer == peer);
      at->second.peer = 0;
      at->second.at = settings.waits_for_next_peer && !how.cut ? stage::parting : stage::ending;
      if (at->second.at == stage::ending)
        dying.insert(id);
      return;
    }
    CHECK(peers.erase(id) == 1);
    auto raw = workers.find(id);
    if (raw != workers.end() && settings.keeps_raw_workers && !how.cut)
      return;
    if (raw != workers.end())
      raw->second.draining = true;
    dying.insert(id);
  }

  void on_end(uint64_t id, end_reason reason) {
    dying.insert(id);
    if (auto at = clients.find(id); at != clients.end()) {
      CHECK(reason == end_reason::no_worker_in_time);
      CHECK(at->second.at == stage::waiting);
      CHECK(w.now() - at->second.since >= worker_patience);
      at->second.at = stage::ending;
    } else {
      // A channel, whose client has gone before it came.
      CHECK(reason == end_reason::peer_lost);
      CHECK(guests.at(id).who.host != 0);
    }
  }

  void on_end_of_host(uint64_t id, end_reason reason) {
    CHECK(reason == end_reason::drained);
    CHECK(workers.at(id).draining);
    CHECK(workers.at(id).taken.empty());
    dying.insert(id);
  }

  std::map<uint64_t, client> clients;
  std::map<uint64_t, worker> workers;
  /// Of connections on the workers' side, the client that each was told of.
  std::map<uint64_t, uint64_t> peers;
  /// Channels that are to be opened.
  std::set<uint64_t> opening;
  /// Who was asked whether it is rid of its peer.
  std::set<uint64_t> to_answer;
  /// Who will end, of itself or since it was told to.
  std::set<uint64_t> dying;
};

} // namespace tandem::test
