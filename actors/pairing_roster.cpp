#include "actors/pairing_roster.hpp"

#include <algorithm>

namespace tandem {

// -- who may come -------------------------------------------------------------

void pairing_roster::reserve(uint64_t ticket, reservation place) {
  reservations_.emplace(ticket, std::move(place));
}

const pairing_roster::reservation* pairing_roster::find_reservation(uint64_t ticket) const {
  auto at = reservations_.find(ticket);
  return at == reservations_.end() ? nullptr : &at->second;
}

std::optional<pairing_roster::reservation> pairing_roster::take_reservation(uint64_t ticket) {
  auto taken = reservations_.extract(ticket);
  return taken ? std::optional{std::move(taken.mapped())} : std::nullopt;
}

// -- who is there -------------------------------------------------------------

bool pairing_roster::add(const member& who) {
  if (!members_.try_emplace(who.who->id, entry{who, {}}).second)
    return false;
  watch(who.who->id, who.handle);
  return true;
}

bool pairing_roster::add(const host_member& who) {
  auto [at, added] = hosts_.try_emplace(who.who->id, who);
  if (!added)
    return false;
  // The policies know them from now on.
  at->second.channels = {};
  ids_.emplace(who.handle.address(), who.who->id);
  self_->monitor(who.handle);
  return true;
}

void pairing_roster::watch(uint64_t id, const connection_actor& who) {
  if (ids_.emplace(who.address(), id).second)
    self_->monitor(who);
}

std::optional<uint64_t> pairing_roster::remove(const caf::actor_addr& source) {
  auto id = ids_.extract(source);
  return id ? std::optional{id.mapped()} : std::nullopt;
}

peer_info_ptr pairing_roster::remove(uint64_t id) {
  if (auto host = hosts_.extract(id))
    return std::move(host.mapped().who);
  if (!contains(id))
    return nullptr;
  stop_waiting(id);
  return std::move(members_.extract(id).mapped().self.who);
}

const member* pairing_roster::find(uint64_t id) const {
  auto at = members_.find(id);
  return at == members_.end() ? nullptr : &at->second.self;
}

const host_member* pairing_roster::find_host(uint64_t id) const {
  auto at = hosts_.find(id);
  return at == hosts_.end() ? nullptr : &at->second;
}

const peer_info* pairing_roster::who(uint64_t id) const {
  if (const auto* there = find(id))
    return there->who.get();
  const auto* host = find_host(id);
  return host == nullptr ? nullptr : host->who.get();
}

int32_t pairing_roster::home_of(uint64_t id) const {
  if (const auto* there = find(id))
    return there->home;
  const auto* host = find_host(id);
  return host == nullptr ? -1 : host->home;
}

std::vector<uint64_t> pairing_roster::everybody() const {
  std::vector<uint64_t> all;
  all.reserve(members_.size() + hosts_.size());
  for (const auto& [id, unused] : members_)
    all.push_back(id);
  for (const auto& [id, unused] : hosts_)
    all.push_back(id);
  return all;
}

// -- pairs --------------------------------------------------------------------

void pairing_roster::bind(member& client, member& worker) {
  const auto client_id = client.who->id;
  const auto worker_id = worker.who->id;
  stop_waiting(client_id);
  stop_waiting(worker_id);
  if (client.peer == worker_id && worker.peer == client_id)
    return;
  client.peer = worker_id;
  worker.peer = client_id;
  self_->send(client.handle, atom::bind::value, peer_ref{worker.who, worker.handle});
  self_->send(worker.handle, atom::bind::value, peer_ref{client.who, client.handle});
  publish(paired{client.who->key, client_id, worker_id});
}

void pairing_roster::part(uint64_t left, const peer_info& gone, const ending& how) {
  at(left).peer = 0;
  stop_waiting(left);
  auto told = how;
  // One that died without a word may have left a message unfinished.
  told.cut = how.cut || how.reason == end_reason::broker_fault;
  // The others have told their peer already; but it may not have heard of the pair by then.
  tell(left, atom::peer_end::value, gone.id, told);
  auto client = gone.side == role::client ? gone.id : left;
  auto worker = gone.side == role::worker ? gone.id : left;
  publish(unpaired{gone.key, client, worker});
}

// -- telling them -------------------------------------------------------------

void pairing_roster::tell_to_open(uint64_t host, uint64_t channel, const peer_info& client) {
  self_->send(hosts_.at(host).handle, atom::open::value, channel, client);
}

void pairing_roster::tell_to_rejoin() {
  for (const auto& [id, entry] : members_)
    self_->send(entry.self.handle, atom::rejoin::value);
  for (const auto& [id, host] : hosts_)
    self_->send(host.handle, atom::rejoin::value);
}

void pairing_roster::end(uint64_t id, end_reason reason) {
  if (const auto* host = find_host(id))
    return self_->send(host->handle, atom::end::value, reason);
  stop_waiting(id);
  tell(id, atom::end::value, reason);
}

void pairing_roster::subscribe(const extension_actor& listener) {
  listeners_.push_back(listener);
  self_->monitor(listener);
}

void pairing_roster::unsubscribe(const caf::actor_addr& listener) {
  std::erase_if(listeners_, [&](const extension_actor& x) { return x.address() == listener; });
}

// -- time ---------------------------------------------------------------------

void pairing_roster::wait(uint64_t id, std::chrono::milliseconds span) {
  auto& entry = members_.at(id);
  if (span.count() == 0 || entry.waits_until != clock::time_point{})
    return;
  entry.waits_until = now() + span;
  waiting_.emplace(entry.waits_until, id);
  wake_for_waiting();
}

void pairing_roster::stop_waiting(uint64_t id) {
  auto& entry = members_.at(id);
  waiting_.erase({entry.waits_until, id});
  entry.waits_until = {};
}

std::optional<uint64_t> pairing_roster::take_expired() {
  if (waiting_.empty() || waiting_.begin()->first > now())
    return std::nullopt;
  auto id = waiting_.begin()->second;
  stop_waiting(id);
  return id;
}

void pairing_roster::forget_ticks() {
  ticks_.erase(ticks_.begin(), ticks_.upper_bound(now()));
}

/// A tick that is under way already, and comes no later, sees to the rest.
void pairing_roster::wake_at(clock::time_point when) {
  when = std::max(when, now());
  if (!ticks_.empty() && *ticks_.begin() <= when)
    return;
  ticks_.insert(when);
  self_->delayed_send(self_, std::chrono::ceil<std::chrono::milliseconds>(when - now()),
                      atom::tick::value);
}

void pairing_roster::wake_for_waiting() {
  if (!waiting_.empty())
    wake_at(waiting_.begin()->first);
}

} // namespace tandem
