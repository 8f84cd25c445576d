// Slots, and the queue for them.
#include "actors/id.hpp"
#include "actors/pairing_pool.hpp"

#include <tuple>
#include <utility>

namespace tandem {

namespace {

/// Whoever waits is told of its place no more often than this.
constexpr std::chrono::milliseconds telling_interval{500};

/// Places up to this one are told exactly.
constexpr uint32_t exact_places = 10;

/// A place farther back is told again when it has changed by one part in this many: then a client
/// is told a few dozen times at most, however many were before it.
constexpr uint32_t steps = 10;

bool is_worth_telling(uint32_t told, uint32_t now) {
  if (told == 0 || now <= exact_places)
    return told != now;
  const auto change = told > now ? told - now : now - told;
  return uint64_t{change} * steps >= told;
}

} // namespace

bool pairing_pool::place::operator<(const place& other) const noexcept {
  return std::tie(fresh, other.priority, client) < std::tie(other.fresh, priority, other.client);
}

pairing_pool::client& pairing_pool::add_client(uint64_t id, pool& where, uint64_t sticky,
                                               int32_t priority) {
  ++where.clients;
  client x{&where};
  x.sticky = sticky;
  x.priority = priority;
  return clients_.insert_or_assign(id, x).first->second;
}

// -- the queue ----------------------------------------------------------------

/// It has no slot.
void pairing_pool::queue_up(uint64_t id, client& x) {
  auto& where = *x.where;
  x.at = stage::waiting;
  where.queue.insert(place_of(id, x));
  if (roster_.contains(id))
    roster_.wait(id, options_.wait_timeout);
  if (x.framed)
    ++where.framed_waiting;
  stir(where);
}

void pairing_pool::leave_queue(uint64_t id, client& x) {
  auto& where = *x.where;
  where.queue.erase(place_of(id, x));
  if (roster_.contains(id))
    roster_.stop_waiting(id);
  if (x.framed)
    --where.framed_waiting;
  stir(where);
}

/// Gives free slots to those who wait.
void pairing_pool::dispatch(pool& where) {
  while (!where.queue.empty() && where.workers.has_free()) {
    const auto id = where.queue.begin()->client;
    auto& x = clients_.at(id);
    leave_queue(id, x);
    assign(id, x, where.workers.take(x.sticky));
  }
}

// -- slots --------------------------------------------------------------------

void pairing_pool::assign(uint64_t id, client& x, uint64_t worker_id) {
  auto& w = workers_.at(worker_id);
  x.slot = w.is_host ? next_id() : worker_id;
  x.at = stage::promised;
  slots_.insert_or_assign(x.slot, slot{worker_id, id});
  w.unbound.insert(x.slot);
  if (roster_.contains(id))
    connect(id, x);
}

/// A client that has a slot is there.
void pairing_pool::connect(uint64_t id, client& x) {
  const auto worker_id = slots_.at(x.slot).worker;
  if (!workers_.at(worker_id).is_host)
    return bind(id, x);
  x.at = stage::opening;
  roster_.tell_to_open(worker_id, x.slot, *roster_.at(id).who);
}

/// Both sides of a slot are there.
void pairing_pool::bind(uint64_t id, client& x) {
  x.at = stage::bound;
  x.told = 0;
  if (auto w = workers_.find(slots_.at(x.slot).worker); w != workers_.end())
    w->second.unbound.erase(x.slot);
  roster_.bind(roster_.at(id), roster_.at(x.slot));
}

/// Nobody has it any more.
void pairing_pool::free_slot(uint64_t id) {
  auto freed = slots_.extract(id);
  if (!freed)
    return;
  const auto worker_id = freed.mapped().worker;
  auto at = workers_.find(worker_id);
  if (at == workers_.end())
    return forget_early_slot(worker_id);
  at->second.unbound.erase(id);
  auto& where = *at->second.where;
  where.workers.give_back(worker_id);
  end_if_drained(worker_id);
  dispatch(where);
}

// -- telling places -----------------------------------------------------------

/// Places have changed. Raw clients aren't told.
void pairing_pool::stir(pool& where) {
  if (where.framed_waiting > 0 && stirred_.insert(&where).second)
    roster_.wake_at(next_telling_);
}

void pairing_pool::tick() {
  if (stirred_.empty())
    return;
  const auto now = roster_.now();
  if (now < next_telling_)
    return roster_.wake_at(next_telling_);
  next_telling_ = now + telling_interval;
  for (auto* where : std::exchange(stirred_, {}))
    tell_places(*where);
}

void pairing_pool::tell_places(pool& where) {
  auto left = where.framed_waiting;
  uint32_t at = 0;
  for (auto i = where.queue.begin(); left > 0; ++i) {
    ++at;
    auto& x = clients_.at(i->client);
    if (!x.framed)
      continue;
    --left;
    if (!is_worth_telling(x.told, at))
      continue;
    x.told = at;
    roster_.tell(i->client, atom::position::value, at);
  }
}

} // namespace tandem
