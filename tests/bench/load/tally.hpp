/// What a thread of the run counts.
#pragma once

#include "tests/bench/load/fault_log.hpp"
#include "tests/bench/load/histogram.hpp"

#include <cstdint>

namespace tandem::bench {

/// Counts that go up while a run goes on.
struct counts {
  /// Whole messages that arrived.
  uint64_t at_worker = 0;
  uint64_t at_client = 0;
  /// Payload that arrived at either end, in bytes.
  uint64_t bytes = 0;
  /// Connections whose handshake was done.
  uint64_t opened = 0;
  /// Rounds of --connect-rounds that were done.
  uint64_t rounds = 0;
  /// Messages from clients that were begun, or were due, but haven't come to their end.
  uint64_t outstanding = 0;

  /// Messages that the relay forwarded.
  uint64_t forwarded() const noexcept { return at_worker + at_client; }

  counts& operator+=(const counts& other) noexcept;
};

/// What came between the moment of `before` and that of `after`.
counts difference(const counts& after, const counts& before) noexcept;

/// Pings received, over many connections.
struct ping_summary {
  uint64_t connections = 0;
  uint64_t total = 0;
  uint64_t fewest = 0;
  uint64_t most = 0;
  /// The longest time between two pings to one connection, in nanoseconds.
  uint64_t longest_gap = 0;

  void merge(const ping_summary& other) noexcept;
};

/// All that a thread found out. Durations are in nanoseconds.
struct tally {
  counts now;
  /// From a message's sending, or in an open loop from when it was due, to its end: the answer's
  /// arrival, or with
  /// --one-way its own.
  histogram latency;
  /// From the connect to the end of the handshake.
  histogram handshake;
  /// From the first connect of a round to its message's end.
  histogram round;
  /// How late, in an open loop, this tool itself was to notice that a message was due.
  histogram lag;
  ping_summary pings;
  fault_log faults;

  void merge(const tally& other);
};

} // namespace tandem::bench
