/// What tells one way of pairing from another.
#pragma once

#include "actors/pairing_roster.hpp"

namespace tandem {

/// How the clients and workers of one route come together. It knows them by their ids and tells
/// them by the roster, in which everyone is that it hears of.
class pairing_policy {
public:
  virtual ~pairing_policy() = default;

  /// A yes is reserved in the roster.
  virtual verdict decide(const claim& request) = 0;
  virtual void withdraw(uint64_t ticket, const pairing_roster::reservation& place) = 0;

  /// One has come, and had a reservation if it was `expected`. If not, it was there before this
  /// pairing.
  virtual void join(const member& who, bool expected) = 0;
  virtual void enlist(const host_member& who, bool expected) = 0;
  /// A member that was there joins once more.
  virtual void rejoin(const member& who) = 0;

  virtual void resize(uint64_t host, uint32_t slots) = 0;
  virtual void drain(uint64_t host) = 0;

  /// It ends, and may yet hear of a peer.
  virtual void leave(uint64_t id) = 0;
  /// Tells a member or a host to end.
  virtual void end(uint64_t id, end_reason reason) = 0;
  /// The time that it had is up.
  virtual void expire(uint64_t id) = 0;

  /// A member or a host has gone, and isn't in the roster any more.
  virtual void remove(const peer_info& gone, const ending& how) = 0;
  /// One that the roster had watched has gone before it joined; perhaps not one of this route.
  virtual void remove(uint64_t id) = 0;

  virtual void tick() = 0;

  virtual bool empty() const noexcept = 0;
};

} // namespace tandem
