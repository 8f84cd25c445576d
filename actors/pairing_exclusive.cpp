#include "actors/pairing_exclusive.hpp"

#include <algorithm>

namespace tandem {

// -- coming -------------------------------------------------------------------

verdict pairing_exclusive::decide(const claim& request) {
  auto& pair = slots_[request.key];
  auto& seat = pair.of(request.side);
  auto taken = seat.next != 0 || (seat.holder != 0 && !seat.leaving);
  if (taken && !options_.replaces)
    return {request.ticket, refusal::key_taken,
            "this key already has a " + to_string(request.side)};
  // One that was to come next, and has come, is replaced as a holder would be.
  if (roster_.contains(seat.next))
    end(seat.next, end_reason::replaced);
  seat.next = request.ticket;
  auto subprotocol = agree(pair, request);
  roster_.reserve(request.ticket, {request.side, request.route, request.key, subprotocol});
  if (pair.home < 0 && options_.choose_home)
    pair.home = options_.choose_home();
  return {request.ticket, refusal::none, {}, std::move(subprotocol), pair.home};
}

/// The subprotocol for a newcomer; empty for none. A pair never has two: once one side has agreed
/// on one, the other can agree on that one alone.
std::string pairing_exclusive::agree(slot& pair, const claim& request) const {
  const auto* others = subprotocol_of(pair.of(other(request.side)));
  if (others == nullptr || others->empty())
    return request.subprotocols.empty() ? std::string{} : request.subprotocols.front();
  return std::ranges::count(request.subprotocols, *others) != 0 ? *others : std::string{};
}

/// What whoever is to be bound has agreed on; null if nobody is there, nor on its way.
const std::string* pairing_exclusive::subprotocol_of(const seat& x) const {
  if (const auto* coming = roster_.find_reservation(x.next))
    return &coming->subprotocol;
  const auto* there = roster_.find(x.next != 0 ? x.next : x.leaving ? 0 : x.holder);
  return there == nullptr ? nullptr : &there->who->subprotocol;
}

void pairing_exclusive::withdraw(uint64_t ticket, const pairing_roster::reservation& place) {
  auto slot = slots_.find(place.key);
  if (slot == slots_.end())
    return;
  if (auto& seat = slot->second.of(place.side); seat.next == ticket)
    seat.next = 0;
  settle(slot);
}

void pairing_exclusive::join(const member& who, bool) {
  auto id = who.who->id;
  auto at = slots_.try_emplace(who.who->key).first;
  auto& seat = at->second.of(who.who->side);
  if (options_.choose_home)
    at->second.home = who.home;
  const bool expected = seat.next == id || (seat.next == 0 && seat.holder == 0);
  if (!expected)
    // A newer claim overtook it.
    return end(id, end_reason::replaced);
  if (seat.holder == 0) {
    seat.holder = id;
    seat.next = 0;
  } else if (!seat.leaving) {
    end(seat.holder, end_reason::replaced);
  }
  settle(at);
}

/// A worker has one client, so a connection does for it.
void pairing_exclusive::enlist(const host_member& who, bool) {
  roster_.end(who.who->id, end_reason::broker_fault);
}

// -- going --------------------------------------------------------------------

/// Lets the next one sit down where `gone` sat.
void pairing_exclusive::remove(const peer_info& gone, const ending& how) {
  auto at = slots_.find(gone.key);
  if (at == slots_.end())
    return;
  auto& seat = at->second.of(gone.side);
  if (seat.next == gone.id)
    seat.next = 0;
  if (seat.holder == gone.id) {
    if (at->second.bound)
      part(at->second, gone, how);
    seat.holder = 0;
    seat.leaving = false;
    if (roster_.contains(seat.next))
      seat.holder = std::exchange(seat.next, 0);
  }
  settle(at);
}

/// Ends a pair, one side of which has gone.
void pairing_exclusive::part(slot& pair, const peer_info& gone, const ending& how) {
  auto& left = pair.of(other(gone.side));
  pair.bound = false;
  left.leaving = left.leaving || !options_.waits_for_next_peer;
  roster_.part(left.holder, gone, how);
}

void pairing_exclusive::end(uint64_t id, end_reason reason) {
  roster_.end(id, reason);
  const auto& who = *roster_.who(id);
  if (auto at = slots_.find(who.key); at != slots_.end())
    if (auto& seat = at->second.of(who.side); seat.holder == id)
      seat.leaving = true;
}

// -- pairs --------------------------------------------------------------------

/// Brings a slot to rest: binds those who can be bound, has the others wait, and forgets an empty
/// one.
void pairing_exclusive::settle(slot_map::iterator at) {
  auto& pair = at->second;
  auto ready = [](const seat& x) { return x.holder != 0 && !x.leaving; };
  if (!pair.bound && std::ranges::all_of(pair.seats, ready))
    bind(pair);
  if (pair.bound)
    return;
  for (const auto& seat : pair.seats)
    if (ready(seat))
      roster_.wait(seat.holder, options_.timeout);
  if (std::ranges::all_of(pair.seats, [](const seat& x) { return x.holder == 0 && x.next == 0; }))
    slots_.erase(at);
}

void pairing_exclusive::bind(slot& pair) {
  auto& client = roster_.at(pair.of(role::client).holder);
  auto& worker = roster_.at(pair.of(role::worker).holder);
  // Bound to another, by the pairing before this one: its messages, and the other's, would mix with
  // those of the new pair.
  if (client.peer != 0 && client.peer != worker.who->id)
    return end(client.who->id, end_reason::peer_lost);
  if (worker.peer != 0 && worker.peer != client.who->id)
    return end(worker.who->id, end_reason::peer_lost);
  pair.bound = true;
  roster_.bind(client, worker);
}

} // namespace tandem
