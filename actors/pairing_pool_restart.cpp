// How a pairing that was started anew finds who is with whom. Those who were there before join in
// any order, and each says whom it is bound to. Until both sides of a slot have said so, it is
// regrouping.
#include "actors/pairing_pool.hpp"

namespace tandem {

namespace {

/// Who doesn't join within this time isn't there any more.
constexpr std::chrono::milliseconds regrouping_time{5000};

peer_info unknown(uint64_t id, role side, const std::string& key) {
  peer_info who;
  who.id = id;
  who.side = side;
  who.key = key;
  return who;
}

} // namespace

/// A client has joined that was there before, and perhaps its worker has named it.
void pairing_pool::regroup_client(const member& who) {
  const auto id = who.who->id;
  auto& where = pool_of(who.who->key);
  auto named = clients_.find(id);
  const auto slot_id = named == clients_.end() ? who.peer : named->second.slot;
  auto& x = named == clients_.end() ? add_client(id, where, 0, 0) : named->second;
  x.sticky = who.who->sticky;
  x.priority = who.who->priority;
  x.framed = who.who->frames != framing::raw;
  if (slot_id == 0) {
    queue_up(id, x);
    return dispatch(where);
  }
  x.at = stage::regrouping;
  x.slot = slot_id;
  auto [at, unheard_of] = slots_.try_emplace(slot_id, slot{0, id});
  if (unheard_of && where.workers.is_free(slot_id)) {
    // A raw worker that hadn't heard of this client when it joined.
    at->second.worker = slot_id;
    where.workers.take_from(slot_id);
  } else if (!unheard_of && at->second.client == 0 && !roster_.contains(slot_id)) {
    // A channel that its host has named.
    at->second.client = id;
  }
  if (at->second.client == id && (who.peer == 0 || who.peer == slot_id))
    return regroup(slot_id);
  // Each of the two says something else.
  if (at->second.client != id) {
    x.slot = 0;
    x.at = stage::ending;
  }
  end(id, end_reason::peer_lost);
}

/// A raw worker or a channel has joined that was there before, or a client has named it.
void pairing_pool::regroup_worker(const member& who) {
  const auto id = who.who->id;
  auto at = slots_.find(id);
  if (at == slots_.end() && who.peer == 0)
    // A channel that nobody knows of.
    return end(id, end_reason::peer_lost);
  auto& where = pool_of(who.who->key);
  auto& x = slots_[id];
  if (x.worker == 0) {
    x.worker = who.who->host != 0 ? who.who->host : id;
    if (workers_.contains(x.worker))
      where.workers.take_from(x.worker);
    else
      ++early_[x.worker];
  }
  if (x.client == 0 && who.peer != 0) {
    auto known = clients_.find(who.peer);
    if (known != clients_.end()) {
      if (known->second.at != stage::waiting || !roster_.contains(who.peer))
        return end(id, end_reason::peer_lost);
      leave_queue(who.peer, known->second);
    }
    auto& named = known == clients_.end() ? add_client(who.peer, where, 0, 0) : known->second;
    named.at = stage::regrouping;
    named.slot = id;
    x.client = who.peer;
  }
  if (x.client == 0 || (who.peer != 0 && who.peer != x.client))
    return end(id, end_reason::peer_lost);
  regroup(id);
}

/// Binds both sides of the slot, if they are there.
void pairing_pool::regroup(uint64_t slot_id) {
  const auto client_id = slots_.at(slot_id).client;
  if (!roster_.contains(client_id))
    roster_.wait(slot_id, regrouping_time);
  else if (!roster_.contains(slot_id))
    roster_.wait(client_id, regrouping_time);
  else
    bind(client_id, clients_.at(client_id));
}

/// The other side of its slot hasn't come.
void pairing_pool::give_up_regrouping(uint64_t id) {
  const auto how = ending::by(end_reason::peer_lost);
  if (auto at = clients_.find(id); at != clients_.end()) {
    const auto slot_id = at->second.slot;
    if (auto x = slots_.find(slot_id); x->second.worker == 0)
      slots_.erase(x);
    else
      x->second.client = 0;
    take_peer_away(id, at->second, unknown(slot_id, role::worker, at->second.where->key), how);
    return;
  }
  auto& x = slots_.at(id);
  const auto client_id = std::exchange(x.client, 0);
  auto missing = clients_.extract(client_id);
  auto& where = *missing.mapped().where;
  --where.clients;
  take_client_away(id, unknown(client_id, role::client, where.key), how);
}

// -- hosts --------------------------------------------------------------------

void pairing_pool::take_slots_of_before(const host_member& who) {
  const auto id = who.who->id;
  auto& workers = workers_.at(id).where->workers;
  if (auto early = early_.extract(id))
    workers.take_from(id, early.mapped());
  for (const auto& [channel, handle] : who.channels)
    if (auto [at, added] = slots_.try_emplace(channel, slot{id, 0});
        added || at->second.worker == 0) {
      at->second.worker = id;
      workers.take_from(id);
      roster_.watch(channel, handle);
    }
}

/// A channel has gone whose host isn't there.
void pairing_pool::forget_early_slot(uint64_t host) {
  if (auto at = early_.find(host); at != early_.end() && --at->second == 0)
    early_.erase(at);
}

} // namespace tandem
