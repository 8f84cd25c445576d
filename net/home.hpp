/// Where pinned actors live.
#pragma once

#include <caf/execution_unit.hpp>

#include <chrono>
#include <functional>

namespace tandem::net {

/// A thread with a run queue of its own. Unlike CAF's execution units, it takes jobs from any
/// thread.
class home : public caf::execution_unit {
public:
  using caf::execution_unit::execution_unit;

  /// Queues `job`, of which it takes over one reference. Any thread.
  void exec_later(caf::resumable* job) override = 0;

  /// Tells the homes of one kind apart; from 0. Any thread.
  virtual size_t index() const noexcept = 0;

  /// Calls `what` once, on this thread, no sooner than `delay` from now. This thread alone.
  virtual void call_after(std::chrono::milliseconds delay, std::function<void()> what) = 0;
};

} // namespace tandem::net
