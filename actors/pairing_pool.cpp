#include "actors/pairing_pool.hpp"

#include "actors/hash.hpp"

#include <algorithm>
#include <limits>

namespace tandem {

namespace {

/// As many as come: the capacity of a worker in mode shared.
constexpr auto no_limit = std::numeric_limits<uint32_t>::max();

} // namespace

pairing_pool::pool& pairing_pool::pool_of(const std::string& key) {
  auto at = pools_.find(key);
  if (at == pools_.end())
    at = pools_.try_emplace(key, pool{key, pairing_workers{options_.select, mix(++seed_)}, {}})
             .first;
  return at->second;
}

void pairing_pool::forget_if_empty(const std::string& key) {
  auto at = pools_.find(key);
  if (at == pools_.end())
    return;
  auto& where = at->second;
  if (!where.workers.empty() || where.clients > 0 || where.coming > 0)
    return;
  stirred_.erase(&where);
  pools_.erase(at);
}

// -- asking -------------------------------------------------------------------

verdict pairing_pool::decide(const claim& request) {
  auto answer = request.side == role::client ? admit_client(request) : admit_worker(request);
  if (answer.why != refusal::none)
    forget_if_empty(request.key);
  return answer;
}

verdict pairing_pool::admit_client(const claim& request) {
  auto& where = pool_of(request.key);
  // A worker that may come counts: it may have had its answer already, so that whoever knows of it
  // has reason to expect its slot.
  if (!where.workers.has_free() && where.queue.size() >= options_.max_waiting + where.coming)
    return {request.ticket, refusal::queue_full,
            "no worker is free, and as many clients wait for one as may"};
  auto subprotocol = agree(where, request);
  roster_.reserve(request.ticket, {request.side, request.route, request.key, subprotocol});
  auto& x = add_client(request.ticket, where, request.sticky, request.priority);
  queue_up(request.ticket, x);
  // Nobody waited if a slot is free, so it is this one's.
  dispatch(where);
  const auto home = x.slot == 0 ? -1 : roster_.home_of(slots_.at(x.slot).worker);
  return {request.ticket, refusal::none, {}, std::move(subprotocol), home};
}

verdict pairing_pool::admit_worker(const claim& request) {
  auto& where = pool_of(request.key);
  if (is_shared()) {
    if (request.frames == framing::raw)
      return {request.ticket, refusal::bad_request,
              "a worker of this route serves many clients: offer the subprotocol tandem.v1"};
    if (!options_.replaces && (where.next != 0 || where.workers.has_free()))
      return {request.ticket, refusal::key_taken, "this key already has a worker"};
    where.next = request.ticket;
  }
  ++where.coming;
  auto subprotocol = agree(where, request);
  count_agreed(where, subprotocol);
  roster_.reserve(request.ticket, {request.side, request.route, request.key, subprotocol});
  return {request.ticket,
          refusal::none,
          {},
          std::move(subprotocol),
          options_.choose_home ? options_.choose_home() : -1};
}

/// The subprotocol for a newcomer; empty for none. A pool's raw workers share one, and so do the
/// clients that come while they are there. What is framed takes part in none.
std::string pairing_pool::agree(const pool& where, const claim& request) const {
  if (request.frames != framing::raw)
    return {};
  const std::string* others = where.agreed > 0 ? &where.subprotocol : nullptr;
  if (others == nullptr && request.side == role::worker && !where.queue.empty()) {
    const auto first = where.queue.begin()->client;
    const auto* coming = roster_.find_reservation(first);
    others = coming != nullptr ? &coming->subprotocol : &roster_.at(first).who->subprotocol;
  }
  if (others == nullptr || others->empty())
    return request.subprotocols.empty() ? std::string{} : request.subprotocols.front();
  return std::ranges::count(request.subprotocols, *others) != 0 ? *others : std::string{};
}

void pairing_pool::count_agreed(pool& where, const std::string& subprotocol) {
  if (subprotocol.empty())
    return;
  if (where.agreed == 0)
    where.subprotocol = subprotocol;
  if (where.subprotocol == subprotocol)
    ++where.agreed;
}

void pairing_pool::discount_agreed(pool& where, const std::string& subprotocol) {
  if (where.agreed > 0 && where.subprotocol == subprotocol)
    --where.agreed;
}

void pairing_pool::withdraw(uint64_t ticket, const pairing_roster::reservation& place) {
  if (place.side == role::client) {
    peer_info gone;
    gone.id = ticket;
    remove_client(gone, {});
  } else {
    auto& where = pool_of(place.key);
    --where.coming;
    if (where.next == ticket)
      where.next = 0;
    discount_agreed(where, place.subprotocol);
  }
  forget_if_empty(place.key);
}

// -- coming -------------------------------------------------------------------

void pairing_pool::join(const member& who, bool expected) {
  if (who.who->side == role::client)
    join_client(who);
  else if (who.who->host != 0)
    join_channel(who);
  else
    join_raw_worker(who, expected);
}

void pairing_pool::join_client(const member& who) {
  const auto id = who.who->id;
  auto at = clients_.find(id);
  if (at == clients_.end() || at->second.at == stage::regrouping)
    return regroup_client(who);
  auto& x = at->second;
  const bool waits = x.at == stage::waiting;
  // It comes to its place again, as one who can be told of it.
  if (waits)
    leave_queue(id, x);
  x.framed = who.who->frames != framing::raw;
  if (waits)
    queue_up(id, x);
  else
    connect(id, x);
}

void pairing_pool::join_raw_worker(const member& who, bool expected) {
  const auto id = who.who->id;
  auto& where = pool_of(who.who->key);
  if (expected)
    --where.coming;
  else
    count_agreed(where, who.who->subprotocol);
  workers_.emplace(id, worker{&where, false});
  where.workers.add(id, who.who->sticky, 1);
  if (slots_.contains(id) || who.peer != 0)
    return regroup_worker(who);
  dispatch(where);
}

void pairing_pool::join_channel(const member& who) {
  const auto id = who.who->id;
  auto at = slots_.find(id);
  auto host = at == slots_.end() ? workers_.end() : workers_.find(at->second.worker);
  if (host == workers_.end() || host->second.unbound.erase(id) == 0)
    return regroup_worker(who);
  auto client_id = at->second.client;
  if (client_id != 0) {
    auto& x = clients_.at(client_id);
    if (!x.leaving) {
      bind(client_id, x);
      if (x.leaves_later)
        end(client_id, end_reason::vanished);
      return;
    }
    x.at = stage::ending;
    x.slot = 0;
    at->second.client = 0;
  }
  // Its client has gone meanwhile.
  end(id, end_reason::peer_lost);
}

void pairing_pool::enlist(const host_member& who, bool expected) {
  const auto id = who.who->id;
  auto& where = pool_of(who.who->key);
  if (expected)
    --where.coming;
  // A newer claim overtook it.
  const bool late =
      is_shared() && where.next != id && (where.next != 0 || where.workers.has_free());
  if (where.next == id)
    where.next = 0;
  const auto others = is_shared() && !late ? where.workers.active() : std::vector<uint64_t>{};
  workers_.emplace(id, worker{&where, true});
  where.workers.add(id, who.who->sticky, is_shared() ? no_limit : who.capacity);
  take_slots_of_before(who);
  if (who.draining)
    drain(id);
  if (late)
    end(id, end_reason::replaced);
  for (auto other_id : others)
    end(other_id, end_reason::replaced);
  dispatch(where);
}

// -- what workers ask for -----------------------------------------------------

void pairing_pool::resize(uint64_t host, uint32_t slots) {
  auto at = workers_.find(host);
  if (at == workers_.end() || is_shared())
    return;
  at->second.where->workers.resize(host, slots);
  dispatch(*at->second.where);
}

void pairing_pool::drain(uint64_t host) {
  auto at = workers_.find(host);
  if (at == workers_.end())
    return;
  at->second.where->workers.drain(host);
  end_if_drained(host);
}

/// As soon as a drained host has no channel left.
void pairing_pool::end_if_drained(uint64_t worker_id) {
  const auto& x = workers_.at(worker_id);
  if (x.is_host && x.where->workers.is_drained(worker_id))
    roster_.end(worker_id, end_reason::drained);
}

} // namespace tandem
