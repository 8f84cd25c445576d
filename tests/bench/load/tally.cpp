#include "tests/bench/load/tally.hpp"

#include <algorithm>

namespace tandem::bench {

counts& counts::operator+=(const counts& other) noexcept {
  at_worker += other.at_worker;
  at_client += other.at_client;
  bytes += other.bytes;
  opened += other.opened;
  rounds += other.rounds;
  outstanding += other.outstanding;
  return *this;
}

counts difference(const counts& after, const counts& before) noexcept {
  return {.at_worker = after.at_worker - before.at_worker,
          .at_client = after.at_client - before.at_client,
          .bytes = after.bytes - before.bytes,
          .opened = after.opened - before.opened,
          .rounds = after.rounds - before.rounds,
          .outstanding = after.outstanding};
}

void ping_summary::merge(const ping_summary& other) noexcept {
  if (other.connections == 0)
    return;
  fewest = connections == 0 ? other.fewest : std::min(fewest, other.fewest);
  most = std::max(most, other.most);
  longest_gap = std::max(longest_gap, other.longest_gap);
  connections += other.connections;
  total += other.total;
}

void tally::merge(const tally& other) {
  now += other.now;
  latency.merge(other.latency);
  handshake.merge(other.handshake);
  round.merge(other.round);
  lag.merge(other.lag);
  pings.merge(other.pings);
  faults.merge(other.faults);
}

} // namespace tandem::bench
