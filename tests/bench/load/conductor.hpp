/// A run from its first connect to its last close.
#pragma once

#include "tests/bench/load/plan.hpp"
#include "tests/bench/load/process_probe.hpp"
#include "tests/bench/load/progress.hpp"
#include "tests/bench/load/tally.hpp"

#include <atomic>
#include <optional>

namespace tandem::bench {

/// What a run found out.
struct report {
  /// Over the whole run.
  tally total;
  /// Over the time that was measured: after the warm-up, before the draining.
  counts measured;
  seconds elapsed{0};
  /// The relay's process before the first connect, and at both ends of the measured time. Nothing
  /// if no --pid was given, or the process had gone.
  std::optional<process_sample> relay_before;
  std::optional<process_sample> relay_from;
  std::optional<process_sample> relay_until;
  /// This process, at both ends of the measured time.
  process_sample tool_from;
  process_sample tool_until;
  bool interrupted = false;

  /// True if nothing went wrong.
  bool is_good() const noexcept { return total.faults.total() == 0; }
};

/// Carries out `run` and returns when it is over, which it is in bounded time whatever the relay
/// does, or soon after `interrupted` has become true. Throws std::system_error if the kernel
/// refuses what the tool itself needs.
report conduct(const plan& run, progress& bar, const std::atomic<bool>& interrupted);

} // namespace tandem::bench
