#include "actors/pairing_workers.hpp"

#include "actors/hash.hpp"

#include <algorithm>
#include <tuple>

namespace tandem {

bool pairing_workers::rank::operator<(const rank& other) const noexcept {
  const auto mine = uint64_t{used} * other.capacity;
  const auto others = uint64_t{other.used} * capacity;
  return std::tie(mine, turn, id) < std::tie(others, other.turn, other.id);
}

pairing_workers::pairing_workers(selection how, uint64_t seed)
    : how_{how}, random_{static_cast<uint32_t>(seed)} {}

// -- workers ------------------------------------------------------------------

void pairing_workers::add(uint64_t id, uint64_t name, uint32_t capacity) {
  auto [at, added] = workers_.try_emplace(id, worker{id, name == 0 ? mix(id) : name, capacity});
  if (added)
    show(at->second);
}

void pairing_workers::remove(uint64_t id) {
  auto at = workers_.find(id);
  if (at == workers_.end())
    return;
  hide(at->second);
  workers_.erase(at);
}

void pairing_workers::resize(uint64_t id, uint32_t capacity) {
  change(id, [&](worker& x) { x.capacity = capacity; });
}

void pairing_workers::drain(uint64_t id) {
  change(id, [&](worker& x) { x.draining = true; });
}

bool pairing_workers::is_drained(uint64_t id) const {
  auto at = workers_.find(id);
  return at != workers_.end() && at->second.draining && at->second.used == 0;
}

bool pairing_workers::is_free(uint64_t id) const {
  auto at = workers_.find(id);
  return at != workers_.end() && at->second.has_room();
}

std::vector<uint64_t> pairing_workers::active() const {
  std::vector<uint64_t> ids;
  for (const auto& [id, x] : workers_)
    if (!x.draining)
      ids.push_back(id);
  return ids;
}

// -- slots --------------------------------------------------------------------

uint64_t pairing_workers::take(uint64_t sticky) {
  if (!has_free())
    return 0;
  auto& x = choose(sticky);
  hide(x);
  ++x.used;
  x.turn = ++turns_;
  show(x);
  return x.id;
}

void pairing_workers::take_from(uint64_t id, uint32_t slots) {
  change(id, [&](worker& x) { x.used += slots; });
}

void pairing_workers::give_back(uint64_t id) {
  if (contains(id))
    change(id, [](worker& x) { --x.used; });
}

pairing_workers::worker& pairing_workers::choose(uint64_t sticky) {
  if (is_ranked())
    return workers_.at(by_load_.begin()->id);
  if (how_ == selection::random || sticky == 0)
    return *free_[std::uniform_int_distribution<size_t>{0, free_.size() - 1}(random_)];
  // Rendezvous hashing: each client has an order of all workers of its own, which doesn't change
  // for the others when one comes or goes.
  auto weight = [&](const worker* x) { return std::pair{mix(x->name ^ sticky), x->id}; };
  return **std::ranges::max_element(free_, {}, weight);
}

/// Nothing happens if it has no free slot.
void pairing_workers::show(worker& x) {
  if (!x.has_room())
    return;
  if (is_ranked()) {
    by_load_.insert(rank_of(x));
    return;
  }
  x.place = free_.size();
  free_.push_back(&x);
}

/// Nothing happens if it isn't shown.
void pairing_workers::hide(worker& x) {
  if (is_ranked()) {
    by_load_.erase(rank_of(x));
  } else if (x.place != nowhere) {
    free_[x.place] = free_.back();
    free_[x.place]->place = x.place;
    free_.pop_back();
    x.place = nowhere;
  }
}

pairing_workers::rank pairing_workers::rank_of(const worker& x) const noexcept {
  const bool by_load = how_ == selection::least_loaded;
  return {by_load ? x.used : 0, by_load ? x.capacity : 1, x.turn, x.id};
}

} // namespace tandem
