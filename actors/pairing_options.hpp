/// What the pairing of a route goes by.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace tandem {

/// How the clients and the workers of a key come together.
enum class pairing_mode : uint8_t {
  /// One client and one worker.
  exclusive,
  /// Any number of both; each worker takes as many clients as it has slots.
  pool,
  /// Any number of clients, and one worker that takes them all.
  shared,
};

/// Which of a pool's workers with a free slot gets the next client.
enum class selection : uint8_t {
  /// The one with the smallest part of its slots taken; of several such, each in turn.
  least_loaded,
  /// Each in turn.
  round_robin,
  random,
  /// The same one for the same client, as long as it is there and has room.
  sticky,
};

struct pairing_options {
  /// A second claimant of a taken key replaces the first, instead of being refused. Modes exclusive
  /// and shared.
  bool replaces = false;
  /// A connection that loses its peer waits for another one, instead of closing. In a pool, the
  /// clients alone do.
  bool waits_for_next_peer = false;
  /// How long a connection waits for its peer; 0 for ever. Mode exclusive.
  std::chrono::milliseconds timeout{300000};

  pairing_mode mode = pairing_mode::exclusive;
  /// The index of the network worker for a new pair, or for a pool's worker; empty if the front
  /// chooses it.
  std::function<int32_t()> choose_home{};

  // -- modes pool and shared
  selection select = selection::least_loaded;
  /// Clients that may wait for a worker of one key.
  size_t max_waiting = 1000;
  /// How long a client waits for a worker; 0 for ever.
  std::chrono::milliseconds wait_timeout{30000};
  /// A raw worker whose client has gone takes the next one, instead of closing.
  bool keeps_raw_workers = false;
};

} // namespace tandem
