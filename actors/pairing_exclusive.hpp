/// Mode `exclusive`: one client and one worker for each key, whichever comes first.
#pragma once

#include "actors/pairing_options.hpp"
#include "actors/pairing_policy.hpp"

#include <cstdint>
#include <string>
#include <unordered_map>

namespace tandem {

class pairing_exclusive final : public pairing_policy {
public:
  pairing_exclusive(pairing_roster& roster, const pairing_options& options)
      : roster_{roster}, options_{options} {}

  verdict decide(const claim& request) override;
  void withdraw(uint64_t ticket, const pairing_roster::reservation& place) override;
  void join(const member& who, bool expected) override;
  void enlist(const host_member& who, bool expected) override;
  void rejoin(const member&) override {}
  void resize(uint64_t, uint32_t) override {}
  void drain(uint64_t) override {}
  void leave(uint64_t id) override { end(id, end_reason::vanished); }
  void end(uint64_t id, end_reason reason) override;
  void expire(uint64_t id) override { end(id, end_reason::no_peer_in_time); }
  void remove(const peer_info& gone, const ending& how) override;
  void remove(uint64_t) override {}
  void tick() override {}
  bool empty() const noexcept override { return slots_.empty(); }

private:
  /// One side of a key. Ids are those of connections, which are their tickets too; 0 for none.
  struct seat {
    /// The connection that sits here.
    uint64_t holder = 0;
    /// Whoever sits down once the holder has gone; its connection may still be to come.
    uint64_t next = 0;
    /// The holder was told to end, or ends by itself.
    bool leaving = false;
  };

  struct slot {
    seat seats[2];
    bool bound = false;
    /// The network worker of both; -1 if the front chooses it.
    int32_t home = -1;

    seat& of(role side) { return seats[static_cast<size_t>(side)]; }
  };

  using slot_map = std::unordered_map<std::string, slot>;

  std::string agree(slot& pair, const claim& request) const;
  const std::string* subprotocol_of(const seat& x) const;
  void settle(slot_map::iterator at);
  void bind(slot& pair);
  void part(slot& pair, const peer_info& gone, const ending& how);

  pairing_roster& roster_;
  const pairing_options options_;
  slot_map slots_;
};

} // namespace tandem
