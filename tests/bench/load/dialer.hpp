/// Makes connections, a bounded number at a time.
#pragma once

#include "tests/bench/load/connection.hpp"

#include <deque>
#include <vector>

namespace tandem::bench {

/// First come, first served. Lives in a reactor's thread.
class dialer {
public:
  /// At most `concurrency` at a time, each of which may take `timeout`.
  dialer(uint64_t concurrency, clock::duration timeout);

  /// Puts `who` at the end of the queue. It must live until it is settled.
  void add(connection& who, connection::dial_options options);

  /// `who` is open or over. Does nothing if it isn't being made.
  void settle(const connection& who) noexcept;

  /// Begins what may begin, and gives up what took too long. After one time-out the rest of the
  /// queue is given up too: a run must end, and a relay that doesn't answer one handshake in time
  /// seldom answers thousands.
  void pump();

  /// Begins nothing that hasn't begun.
  void forget_queue() noexcept { queue_.clear(); }

  /// When `pump` has to be called next, at the latest.
  clock::time_point deadline() const noexcept;

private:
  struct order {
    connection* who;
    connection::dial_options options;
  };

  void give_up_late_ones();

  uint64_t concurrency_;
  clock::duration timeout_;
  std::deque<order> queue_;
  /// In the order in which they were dialled.
  std::vector<connection*> in_progress_;
  bool gave_up_ = false;
};

} // namespace tandem::bench
