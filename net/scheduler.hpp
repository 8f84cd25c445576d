/// tandem's scheduler for CAF.
#pragma once

#include "net/balancer.hpp"
#include "net/network_worker.hpp"
#include "net/quiet_clock.hpp"

#include <caf/policy/work_sharing.hpp>
#include <caf/scheduler/coordinator.hpp>

#include <atomic>
#include <memory>
#include <string_view>
#include <vector>

namespace tandem::net {

/// Network workers for pinned actors and their sockets, and compute workers for all the rest: CAF's
/// work sharing, which sleeps when there is nothing to do. Load it with
/// `actor_system_config::load`. It reads `scheduler.max-threads` (network workers) and
/// `scheduler.compute-threads`.
class scheduler final : public caf::scheduler::coordinator<caf::policy::work_sharing> {
public:
  using super = caf::scheduler::coordinator<caf::policy::work_sharing>;

  explicit scheduler(caf::actor_system& system) : super{system}, clock_{super::clock()} {}

  static caf::actor_system::module* make(caf::actor_system& system, caf::detail::type_list<>);

  /// The scheduler of a system that has loaded this module.
  static scheduler& of(caf::actor_system& system);

  void init(caf::actor_system_config& cfg) override;

  quiet_clock& clock() noexcept override { return clock_; }

  size_t networks() const noexcept { return networks_.size(); }

  network_worker& network(size_t index) noexcept { return *networks_[index]; }

  /// The same worker for the same key, so that the ends of a pair share a thread. Any thread.
  network_worker& home_of(std::string_view key) noexcept;

  /// The worker that has the least to do, for a new pair. Any thread.
  network_worker& lightest_home();

  /// Each worker in turn. Any thread.
  network_worker& next_home() noexcept;

  /// Sockets of all network workers. Any thread.
  size_t sockets() const noexcept;

protected:
  void start() override;
  void stop() override;

private:
  quiet_clock clock_;
  size_t network_count_ = 1;
  std::vector<std::unique_ptr<network_worker>> networks_;
  std::atomic<size_t> next_{0};
  std::unique_ptr<balancer> balancer_;
};

} // namespace tandem::net
