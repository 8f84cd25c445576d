#include "tests/bench/load/plan.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace tandem::bench {

namespace {

/// The part of `total` that falls to one of `n`.
uint64_t share(uint64_t total, uint64_t index, uint64_t n) noexcept {
  return total / n + (index < total % n ? 1 : 0);
}

} // namespace

uint64_t plan::quota_of(uint64_t pair) const noexcept {
  if (chosen.connect_rounds > 0)
    return 1;
  auto quota = std::numeric_limits<uint64_t>::max();
  if (chosen.messages > 0)
    quota = share(chosen.messages, pair, chosen.pairs);
  if (chosen.total_bytes > 0) {
    auto bytes = share(chosen.total_bytes, pair, chosen.pairs);
    quota = std::min(quota, messages.sizes.messages_for(pair, bytes));
  }
  return quota;
}

plan make_plan(const options& chosen, std::string run_id) {
  return {.chosen = chosen,
          .client = std::get<target>(parse_url(chosen.client_url)),
          .worker = std::get<target>(parse_url(chosen.worker_url)),
          .messages = {.sizes = chosen.sizes,
                       .text = chosen.text,
                       .fragment = chosen.fragment,
                       .compressed = chosen.compressed},
          .run_id = std::move(run_id)};
}

} // namespace tandem::bench
