/// Modes `pool` and `shared`: any number of clients for the workers of a key.
#pragma once

#include "actors/pairing_options.hpp"
#include "actors/pairing_policy.hpp"
#include "actors/pairing_workers.hpp"

#include <cstdint>
#include <random>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>

namespace tandem {

/// A client that may come has a slot of a worker, or else a place in the queue; it keeps the slot
/// until it has gone, or the worker has. No client waits while a slot is free.
///
/// What a slot stands for is the connection on the worker's side: a raw worker itself, or a channel
/// of a host. A channel's id is chosen when its slot is taken, so a slot is known by the id of that
/// connection from the beginning.
class pairing_pool final : public pairing_policy {
public:
  pairing_pool(pairing_roster& roster, const pairing_options& options)
      : roster_{roster}, options_{options} {}

  verdict decide(const claim& request) override;
  void withdraw(uint64_t ticket, const pairing_roster::reservation& place) override;
  void join(const member& who, bool expected) override;
  void enlist(const host_member& who, bool expected) override;
  void rejoin(const member& who) override;
  void resize(uint64_t host, uint32_t slots) override;
  void drain(uint64_t host) override;
  void leave(uint64_t id) override;
  void end(uint64_t id, end_reason reason) override;
  void expire(uint64_t id) override;
  void remove(const peer_info& gone, const ending& how) override;
  void remove(uint64_t id) override;
  void tick() override;
  bool empty() const noexcept override {
    return pools_.empty() && clients_.empty() && slots_.empty() && workers_.empty() &&
           early_.empty() && stirred_.empty();
  }

private:
  /// A client's place in the queue; the first one is served first.
  struct place {
    /// It had no worker yet: those who lost one come before all others.
    bool fresh;
    int32_t priority;
    uint64_t client;

    bool operator<(const place& other) const noexcept;
  };

  /// What belongs to a key.
  struct pool {
    std::string key;
    pairing_workers workers;
    std::set<place> queue;
    /// Clients, also those that may yet come.
    size_t clients = 0;
    /// Workers that may yet come, and in mode shared the one that is to be the key's.
    size_t coming = 0;
    uint64_t next = 0;
    /// What its raw workers have agreed on, and how many of them have.
    std::string subprotocol{};
    size_t agreed = 0;
    /// Of those in the queue, the ones who are told their place.
    size_t framed_waiting = 0;
  };

  enum class stage : uint8_t {
    /// It has a place in the queue.
    waiting,
    /// It has a slot, and is still to come.
    promised,
    /// Its channel is still to come.
    opening,
    bound,
    /// It has lost its peer, and is still to say that it is rid of it.
    parting,
    /// It said whom it is bound to, or that one said so, and the other is still to join this
    /// pairing.
    regrouping,
    /// It has neither slot nor place, and ends.
    ending,
  };

  struct client {
    pool* where;
    uint64_t slot = 0;
    uint64_t sticky = 0;
    int32_t priority = 0;
    /// The place in the queue that it was told; 0 for none.
    uint32_t told = 0;
    stage at = stage::waiting;
    bool fresh = true;
    /// It is there, and can be told things.
    bool framed = false;
    /// It was told to end, or ends by itself.
    bool leaving = false;
    /// It ends once its channel has come.
    bool leaves_later = false;
  };

  struct slot {
    /// 0 while it isn't known.
    uint64_t worker = 0;
    /// 0 for none.
    uint64_t client = 0;
  };

  struct worker {
    pool* where;
    bool is_host;
    /// A raw one that is still to say that it is rid of its last client.
    bool parting = false;
    /// Taken slots that aren't bound yet: if it goes, their clients get others. All others learn it
    /// from the end of their connection.
    std::set<uint64_t> unbound{};
  };

  // -- coming: pairing_pool.cpp
  pool& pool_of(const std::string& key);
  void forget_if_empty(const std::string& key);
  bool is_shared() const noexcept { return options_.mode == pairing_mode::shared; }
  verdict admit_client(const claim& request);
  verdict admit_worker(const claim& request);
  std::string agree(const pool& where, const claim& request) const;
  void count_agreed(pool& where, const std::string& subprotocol);
  void discount_agreed(pool& where, const std::string& subprotocol);
  void join_client(const member& who);
  void join_raw_worker(const member& who, bool expected);
  void join_channel(const member& who);
  void end_if_drained(uint64_t worker_id);

  // -- slots and the queue: pairing_pool_queue.cpp
  client& add_client(uint64_t id, pool& where, uint64_t sticky, int32_t priority);
  place place_of(uint64_t id, const client& x) const { return {x.fresh, x.priority, id}; }
  void queue_up(uint64_t id, client& x);
  void leave_queue(uint64_t id, client& x);
  void dispatch(pool& where);
  void assign(uint64_t id, client& x, uint64_t worker_id);
  void connect(uint64_t id, client& x);
  void bind(uint64_t id, client& x);
  void free_slot(uint64_t id);
  void stir(pool& where);
  void tell_places(pool& where);

  // -- going: pairing_pool_going.cpp
  void remove_client(const peer_info& gone, const ending& how);
  void remove_raw_worker(const peer_info& gone, const ending& how);
  void remove_host(uint64_t id);
  void remove_channel(const peer_info& gone, const ending& how);
  void take_client_away(uint64_t slot_id, const peer_info& gone, const ending& how);
  void take_peer_away(uint64_t id, client& x, const peer_info& gone, const ending& how);
  void serve_again(uint64_t id, client& x);

  // -- after a restart: pairing_pool_restart.cpp
  void regroup_client(const member& who);
  void regroup_worker(const member& who);
  void regroup(uint64_t slot_id);
  void give_up_regrouping(uint64_t id);
  void take_slots_of_before(const host_member& who);
  void forget_early_slot(uint64_t host);

  pairing_roster& roster_;
  const pairing_options options_;
  std::unordered_map<std::string, pool> pools_;
  /// By ids; those of clients are their tickets, too.
  std::unordered_map<uint64_t, client> clients_;
  std::unordered_map<uint64_t, worker> workers_;
  /// By the id of the connection that each is for.
  std::unordered_map<uint64_t, slot> slots_;
  /// How many channels have joined before their host did, after a restart.
  std::unordered_map<uint64_t, uint32_t> early_;
  /// Those in which places have changed since those who wait were told.
  std::unordered_set<pool*> stirred_;
  /// Nobody is told again before.
  pairing_roster::clock::time_point next_telling_{};
  uint64_t seed_ = std::random_device{}();
};

} // namespace tandem
