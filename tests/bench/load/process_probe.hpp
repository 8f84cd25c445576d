/// What Linux tells about a process in /proc.
#pragma once

#include <cstdint>
#include <optional>

namespace tandem::bench {

/// The state of a process at one moment.
struct process_sample {
  /// User and system time since it began, in seconds. Linux gives it in steps of 10 ms.
  double cpu = 0;
  /// Resident memory, in bytes.
  uint64_t rss = 0;
  /// Proportional share of resident memory, in bytes; 0 if it may not be read.
  uint64_t pss = 0;
  /// Context switches of all its present threads since they began.
  uint64_t voluntary_switches = 0;
  uint64_t involuntary_switches = 0;
};

/// Reads the state of process `pid`; nothing if there is no such process.
std::optional<process_sample> sample_process(int pid);

} // namespace tandem::bench
