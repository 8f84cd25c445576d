// What follows when somebody goes.
#include "actors/pairing_pool.hpp"

namespace tandem {

namespace {

/// The messages of a pair may have ended inside of one.
bool may_be_cut(const ending& how) {
  return how.cut || how.reason == end_reason::broker_fault;
}

} // namespace

void pairing_pool::remove(const peer_info& gone, const ending& how) {
  if (gone.side == role::client)
    remove_client(gone, how);
  else if (gone.host != 0)
    remove_channel(gone, how);
  else if (auto at = workers_.find(gone.id); at != workers_.end() && at->second.is_host)
    remove_host(gone.id);
  else
    remove_raw_worker(gone, how);
  forget_if_empty(gone.key);
}

/// A channel that its host has named, and that never joined.
void pairing_pool::remove(uint64_t id) {
  auto at = slots_.find(id);
  if (at == slots_.end())
    return;
  peer_info gone;
  gone.id = id;
  gone.side = role::worker;
  if (auto x = clients_.find(at->second.client); x != clients_.end())
    gone.key = x->second.where->key;
  remove_channel(gone, ending::by(end_reason::broker_fault));
  forget_if_empty(gone.key);
}

void pairing_pool::end(uint64_t id, end_reason reason) {
  roster_.end(id, reason);
  if (auto at = clients_.find(id); at != clients_.end()) {
    auto& x = at->second;
    x.leaving = true;
    if (x.at == stage::waiting) {
      leave_queue(id, x);
      x.at = stage::ending;
    }
  } else if (auto w = workers_.find(id); w != workers_.end()) {
    w->second.where->workers.drain(id);
  }
}

/// What it has sent ahead is for its worker, so one whose channel is on its way waits for that.
void pairing_pool::leave(uint64_t id) {
  if (auto at = clients_.find(id); at != clients_.end() && at->second.at == stage::opening)
    at->second.leaves_later = true;
  else
    end(id, end_reason::vanished);
}

void pairing_pool::expire(uint64_t id) {
  if (auto at = clients_.find(id); at != clients_.end() && at->second.at == stage::waiting)
    end(id, end_reason::no_worker_in_time);
  else
    give_up_regrouping(id);
}

// -- clients ------------------------------------------------------------------

/// Also one that doesn't come.
void pairing_pool::remove_client(const peer_info& gone, const ending& how) {
  auto removed = clients_.extract(gone.id);
  if (!removed)
    return;
  auto& x = removed.mapped();
  --x.where->clients;
  if (x.at == stage::waiting)
    leave_queue(gone.id, x);
  if (x.slot == 0)
    return;
  slots_.at(x.slot).client = 0;
  if (x.at == stage::promised)
    free_slot(x.slot);
  else if (x.at != stage::opening)
    take_client_away(x.slot, gone, how);
}

/// The connection on the worker's side of this slot has no client any more.
void pairing_pool::take_client_away(uint64_t slot_id, const peer_info& gone, const ending& how) {
  if (slots_.at(slot_id).worker == 0) {
    // It hasn't joined since the restart, and may never.
    slots_.erase(slot_id);
    return;
  }
  if (!roster_.contains(slot_id))
    return;
  roster_.part(slot_id, gone, how);
  auto at = workers_.find(slot_id);
  if (at == workers_.end())
    // A channel, which ends by itself now.
    return;
  if (options_.keeps_raw_workers && !may_be_cut(how)) {
    at->second.parting = true;
    roster_.tell(slot_id, atom::rejoin::value);
  } else {
    at->second.where->workers.drain(slot_id);
  }
}

/// This client has no peer any more.
void pairing_pool::take_peer_away(uint64_t id, client& x, const peer_info& gone,
                                  const ending& how) {
  x.slot = 0;
  if (!roster_.contains(id)) {
    // It hasn't joined since the restart, and may never.
    --x.where->clients;
    clients_.erase(id);
    return;
  }
  roster_.part(id, gone, how);
  if (options_.waits_for_next_peer && !may_be_cut(how) && !x.leaving) {
    // It may yet choose to end, so a worker would be lost on it.
    x.at = stage::parting;
    roster_.tell(id, atom::rejoin::value);
  } else {
    x.at = stage::ending;
    x.leaving = true;
  }
}

/// A client that has lost its worker, or its promise of one, is the next to be served.
void pairing_pool::serve_again(uint64_t id, client& x) {
  x.slot = 0;
  x.fresh = false;
  if (!x.leaving && !x.leaves_later)
    return queue_up(id, x);
  x.at = stage::ending;
  if (x.leaves_later)
    end(id, end_reason::vanished);
}

void pairing_pool::rejoin(const member& who) {
  if (who.peer != 0)
    return;
  const auto id = who.who->id;
  if (auto at = clients_.find(id); at != clients_.end()) {
    if (at->second.at != stage::parting)
      return;
    serve_again(id, at->second);
    dispatch(*at->second.where);
  } else if (auto w = workers_.find(id); w != workers_.end() && w->second.parting) {
    w->second.parting = false;
    free_slot(id);
  }
}

// -- workers ------------------------------------------------------------------

void pairing_pool::remove_raw_worker(const peer_info& gone, const ending& how) {
  auto removed = workers_.extract(gone.id);
  if (!removed)
    return;
  auto& where = *removed.mapped().where;
  where.workers.remove(gone.id);
  discount_agreed(where, gone.subprotocol);
  auto taken = slots_.extract(gone.id);
  if (!taken || taken.mapped().client == 0)
    return;
  const auto client_id = taken.mapped().client;
  auto& x = clients_.at(client_id);
  if (x.at != stage::promised)
    return take_peer_away(client_id, x, gone, how);
  serve_again(client_id, x);
  dispatch(where);
}

/// Its channels end by themselves; those that haven't come won't.
void pairing_pool::remove_host(uint64_t id) {
  auto removed = workers_.extract(id);
  auto& where = *removed.mapped().where;
  where.workers.remove(id);
  for (auto slot_id : removed.mapped().unbound)
    if (auto taken = slots_.extract(slot_id); taken.mapped().client != 0)
      serve_again(taken.mapped().client, clients_.at(taken.mapped().client));
  dispatch(where);
}

void pairing_pool::remove_channel(const peer_info& gone, const ending& how) {
  auto at = slots_.find(gone.id);
  if (at == slots_.end())
    return;
  if (auto client_id = std::exchange(at->second.client, 0); client_id != 0)
    take_peer_away(client_id, clients_.at(client_id), gone, how);
  free_slot(gone.id);
}

} // namespace tandem
