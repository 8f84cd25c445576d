/// The workers of a pool, and their slots.
#pragma once

#include "actors/pairing_options.hpp"

#include <cstddef>
#include <cstdint>
#include <random>
#include <set>
#include <unordered_map>
#include <vector>

namespace tandem {

/// Decides which worker takes the next client, and counts the slots that are taken. It takes none
/// of a worker that has none free. Workers are known by ids, from 1.
class pairing_workers {
public:
  explicit pairing_workers(selection how, uint64_t seed = std::random_device{}());

  /// `name` is what select = "sticky" knows it by.
  void add(uint64_t id, uint64_t name, uint32_t capacity);
  void remove(uint64_t id);
  void resize(uint64_t id, uint32_t capacity);
  /// It takes no more clients.
  void drain(uint64_t id);

  /// Takes a slot of the worker that is returned; 0 if none has one free. `sticky` is what the
  /// client is known by to select = "sticky"; 0 for nothing.
  uint64_t take(uint64_t sticky);
  /// So many slots of this worker are taken, whether they are free or not.
  void take_from(uint64_t id, uint32_t slots = 1);
  /// Nothing happens if there is no such worker.
  void give_back(uint64_t id);

  bool contains(uint64_t id) const { return workers_.contains(id); }
  bool has_free() const noexcept { return !by_load_.empty() || !free_.empty(); }
  /// A drained worker, none of whose slots is taken.
  bool is_drained(uint64_t id) const;
  bool is_free(uint64_t id) const;
  uint32_t used(uint64_t id) const { return workers_.at(id).used; }
  /// Those that aren't drained.
  std::vector<uint64_t> active() const;
  bool empty() const noexcept { return workers_.empty(); }

private:
  static constexpr size_t nowhere = static_cast<size_t>(-1);

  struct worker {
    uint64_t id;
    uint64_t name;
    uint32_t capacity;
    uint32_t used = 0;
    bool draining = false;
    /// The number of the take that chose it last; 0 before.
    uint64_t turn = 0;
    /// Its place in free_.
    size_t place = nowhere;

    bool has_room() const noexcept { return !draining && used < capacity; }
  };

  /// Who is first takes the next client.
  struct rank {
    /// The part of the slots that is taken.
    uint32_t used;
    uint32_t capacity;
    uint64_t turn;
    uint64_t id;

    bool operator<(const rank& other) const noexcept;
  };

  bool is_ranked() const noexcept {
    return how_ == selection::least_loaded || how_ == selection::round_robin;
  }

  rank rank_of(const worker& x) const noexcept;
  void show(worker& x);
  void hide(worker& x);
  worker& choose(uint64_t sticky);

  template <class Change>
  void change(uint64_t id, Change what) {
    auto& x = workers_.at(id);
    hide(x);
    what(x);
    show(x);
  }

  selection how_;
  std::minstd_rand random_;
  uint64_t turns_ = 0;
  std::unordered_map<uint64_t, worker> workers_;
  /// Those with a free slot: here for the policies that rank them, there for the others.
  std::set<rank> by_load_;
  std::vector<worker*> free_;
};

} // namespace tandem
