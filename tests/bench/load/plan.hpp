/// A run, worked out from its options: what every thread of it needs to know.
#pragma once

#include "tests/bench/load/options.hpp"

#include <string>

namespace tandem::bench {

/// Doesn't change once the run has begun.
struct plan {
  options chosen;
  target client;
  target worker;
  script messages;
  /// Begins the id of every pair, so that a second run doesn't meet what is left of the first.
  std::string run_id;

  /// Messages that the client of `pair` sends, if nothing ends the run before.
  uint64_t quota_of(uint64_t pair) const noexcept;
};

/// Works out the plan. `run_id` should be of characters that need no escape in a URL.
plan make_plan(const options& chosen, std::string run_id);

} // namespace tandem::bench
