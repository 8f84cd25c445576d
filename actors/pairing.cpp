#include "actors/pairing.hpp"

#include "actors/admission_actor.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace tandem {

void pairing_state::start(const std::vector<pairing_options>& routes) {
  routes_ = routes;
  self_->set_down_handler([this](caf::scheduled_actor*, caf::down_msg& down) { on_down(down); });
}

// -- coming -------------------------------------------------------------------

verdict pairing_state::decide(const claim& request) {
  if (draining_)
    return {request.ticket, refusal::draining, "the broker is shutting down"};
  const address where{request.route, request.key};
  auto& pair = slots_[where];
  auto& seat = pair.of(request.side);
  auto taken = seat.next != 0 || (seat.holder != 0 && !seat.leaving);
  if (taken && !routes_.at(request.route).replaces)
    return {request.ticket, refusal::key_taken,
            "this key already has a " + to_string(request.side)};
  // One that was to come next, and has come, is replaced as a holder would be.
  if (members_.contains(seat.next))
    end(seat.next, end_reason::replaced);
  seat.next = request.ticket;
  auto subprotocol = agree(pair, request);
  reservations_.emplace(request.ticket, reservation{request.side, where, subprotocol});
  return {request.ticket, refusal::none, {}, std::move(subprotocol)};
}

/// The subprotocol for a newcomer; empty for none. A pair never has two: once one side has agreed
/// on one, the other can agree on that one alone.
std::string pairing_state::agree(slot& pair, const claim& request) const {
  const auto* others = subprotocol_of(pair.of(other(request.side)));
  if (others == nullptr || others->empty())
    return request.subprotocols.empty() ? std::string{} : request.subprotocols.front();
  return std::ranges::count(request.subprotocols, *others) != 0 ? *others : std::string{};
}

/// What whoever is to be bound has agreed on; null if nobody is there, nor on its way.
const std::string* pairing_state::subprotocol_of(const seat& x) const {
  if (auto coming = reservations_.find(x.next); coming != reservations_.end())
    return &coming->second.subprotocol;
  auto id = x.next != 0 ? x.next : x.leaving ? 0 : x.holder;
  auto there = members_.find(id);
  return there == members_.end() ? nullptr : &there->second.self.who->subprotocol;
}

void pairing_state::withdraw(uint64_t ticket) {
  auto at = reservations_.find(ticket);
  if (at == reservations_.end())
    return;
  if (auto slot = slots_.find(at->second.where); slot != slots_.end()) {
    if (auto& seat = slot->second.of(at->second.side); seat.next == ticket)
      seat.next = 0;
    settle(slot);
  }
  reservations_.erase(at);
}

void pairing_state::join(const member& who) {
  auto id = who.who->id;
  if (!members_.try_emplace(id, entry{who, {}}).second)
    return;
  self_->monitor(who.handle);
  ids_.emplace(who.handle.address(), id);
  reservations_.erase(id);
  publish(connected{*who.who});
  if (draining_)
    return end(id, end_reason::shutting_down);

  auto at = slots_.try_emplace({who.who->route, who.who->key}).first;
  auto& seat = at->second.of(who.who->side);
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

/// No route has a mode with hosts.
void pairing_state::enlist(const host_member& who) {
  self_->send(who.handle, atom::end::value, end_reason::broker_fault);
}

void pairing_state::leave(uint64_t id) {
  if (members_.contains(id))
    end(id, end_reason::vanished);
}

void pairing_state::rejoin() {
  for (const auto& [id, entry] : members_)
    self_->send(entry.self.handle, atom::rejoin::value);
}

void pairing_state::subscribe(const extension_actor& listener) {
  listeners_.push_back(listener);
  self_->monitor(listener);
}

// -- going --------------------------------------------------------------------

void pairing_state::on_down(const caf::down_msg& down) {
  std::erase_if(listeners_, [&](const extension_actor& x) { return x.address() == down.source; });
  auto id = ids_.find(down.source);
  if (id == ids_.end())
    return;
  stop_waiting(id->second);
  const auto gone = std::move(members_.extract(id->second).mapped().self.who);
  ids_.erase(id);
  auto how = ending_of(down.reason);
  if (auto at = slots_.find({gone->route, gone->key}); at != slots_.end())
    vacate(at, *gone, how);
  publish(disconnected{*gone, std::move(how)});
}

/// Lets the next one sit down where `gone` sat.
void pairing_state::vacate(slot_map::iterator at, const peer_info& gone, const ending& how) {
  auto& seat = at->second.of(gone.side);
  if (seat.next == gone.id)
    seat.next = 0;
  if (seat.holder == gone.id) {
    if (at->second.bound)
      part(at->second, gone, how);
    seat.holder = 0;
    seat.leaving = false;
    if (members_.contains(seat.next))
      seat.holder = std::exchange(seat.next, 0);
  }
  settle(at);
}

/// Ends a pair, one side of which has gone.
void pairing_state::part(slot& pair, const peer_info& gone, const ending& how) {
  auto& left = pair.of(other(gone.side));
  auto& entry = members_.at(left.holder);
  entry.self.peer = 0;
  pair.bound = false;
  left.leaving = left.leaving || !routes_.at(gone.route).waits_for_next_peer;
  auto told = how;
  // One that died without a word may have left a message unfinished.
  told.cut = how.cut || how.reason == end_reason::broker_fault;
  // The others have told their peer already; but it may not have heard of the pair by then.
  self_->send(entry.self.handle, atom::peer_end::value, gone.id, std::move(told));
  auto client = gone.side == role::client ? gone.id : left.holder;
  auto worker = gone.side == role::worker ? gone.id : left.holder;
  publish(unpaired{gone.key, client, worker});
}

void pairing_state::end(uint64_t id, end_reason reason) {
  auto& entry = members_.at(id);
  stop_waiting(id);
  self_->send(entry.self.handle, atom::end::value, reason);
  const auto& who = *entry.self.who;
  if (auto at = slots_.find({who.route, who.key}); at != slots_.end())
    if (auto& seat = at->second.of(who.side); seat.holder == id)
      seat.leaving = true;
}

void pairing_state::shutdown() {
  draining_ = true;
  for (const auto& [id, entry] : members_)
    end(id, end_reason::shutting_down);
}

// -- pairs --------------------------------------------------------------------

/// Brings a slot to rest: binds those who can be bound, has the others wait, and forgets an empty
/// one.
void pairing_state::settle(slot_map::iterator at) {
  auto& pair = at->second;
  auto ready = [](const seat& x) { return x.holder != 0 && !x.leaving; };
  if (!pair.bound && std::ranges::all_of(pair.seats, ready))
    bind(pair);
  if (pair.bound)
    return;
  for (const auto& seat : pair.seats)
    if (ready(seat))
      wait(seat.holder);
  if (std::ranges::all_of(pair.seats, [](const seat& x) { return x.holder == 0 && x.next == 0; }))
    slots_.erase(at);
}

void pairing_state::bind(slot& pair) {
  auto& client = members_.at(pair.of(role::client).holder).self;
  auto& worker = members_.at(pair.of(role::worker).holder).self;
  // Bound to another, by the pairing before this one: its messages, and the other's, would mix with
  // those of the new pair.
  if (client.peer != 0 && client.peer != worker.who->id)
    return end(client.who->id, end_reason::peer_lost);
  if (worker.peer != 0 && worker.peer != client.who->id)
    return end(worker.who->id, end_reason::peer_lost);
  stop_waiting(client.who->id);
  stop_waiting(worker.who->id);
  pair.bound = true;
  // Known to each other already: a pair from before this pairing was started anew.
  if (client.peer == worker.who->id && worker.peer == client.who->id)
    return;
  client.peer = worker.who->id;
  worker.peer = client.who->id;
  self_->send(client.handle, atom::bind::value, peer_ref{worker.who, worker.handle});
  self_->send(worker.handle, atom::bind::value, peer_ref{client.who, client.handle});
  publish(paired{client.who->key, client.who->id, worker.who->id});
}

// -- waiting ------------------------------------------------------------------

void pairing_state::wait(uint64_t id) {
  auto& entry = members_.at(id);
  const auto timeout = routes_.at(entry.self.who->route).timeout;
  if (timeout.count() == 0 || entry.waits_until != clock::time_point{})
    return;
  entry.waits_until = self_->clock().now() + timeout;
  waiting_.emplace(entry.waits_until, id);
  schedule_tick();
}

void pairing_state::stop_waiting(uint64_t id) {
  auto& entry = members_.at(id);
  waiting_.erase({entry.waits_until, id});
  entry.waits_until = {};
}

void pairing_state::tick() {
  const auto now = self_->clock().now();
  // One that is left from before a shorter wait began changes nothing.
  if (now >= next_tick_)
    next_tick_ = {};
  while (!waiting_.empty() && waiting_.begin()->first <= now)
    end(waiting_.begin()->second, end_reason::no_peer_in_time);
  schedule_tick();
}

/// One delayed message at a time, but for a wait that ends sooner: CAF's clock takes few of them
/// before it blocks.
void pairing_state::schedule_tick() {
  if (waiting_.empty())
    return;
  const auto earliest = waiting_.begin()->first;
  if (next_tick_ != clock::time_point{} && next_tick_ <= earliest)
    return;
  next_tick_ = earliest;
  auto delay = std::max(earliest - self_->clock().now(), clock::duration_type::zero());
  self_->delayed_send(self_, std::chrono::ceil<std::chrono::milliseconds>(delay),
                      atom::tick::value);
}

pairing_actor::behavior_type pairing(pairing_actor::stateful_pointer<pairing_state> self,
                                     const std::vector<pairing_options>& routes) {
  self->state.start(routes);
  return {
      [=](const claim& request) {
        auto asker = caf::actor_cast<admission_actor>(self->current_sender());
        self->send(asker, self->state.decide(request));
      },
      [=](atom::withdraw, uint64_t ticket) { self->state.withdraw(ticket); },
      [=](atom::join, const member& who) { self->state.join(who); },
      [=](atom::enlist, const host_member& who) { self->state.enlist(who); },
      [=](atom::capacity, uint64_t, uint32_t) {},
      [=](atom::drain, uint64_t) {},
      [=](atom::leave, uint64_t id) { self->state.leave(id); },
      [=](atom::rejoin) { self->state.rejoin(); },
      [=](atom::subscribe, const extension_actor& listener) { self->state.subscribe(listener); },
      [=](atom::tick) { self->state.tick(); },
      [=](atom::shutdown) { self->state.shutdown(); },
  };
}

} // namespace tandem
