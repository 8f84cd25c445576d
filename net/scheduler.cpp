#include "net/scheduler.hpp"

#include <caf/actor_system_config.hpp>

#include <algorithm>
#include <functional>
#include <thread>

namespace tandem::net {

namespace {

/// Messages that an actor may handle before others have their turn: small enough that none keeps a
/// socket waiting.
constexpr size_t most_throughput = 256;

} // namespace

caf::actor_system::module* scheduler::make(caf::actor_system& system, caf::detail::type_list<>) {
  return new scheduler{system};
}

scheduler& scheduler::of(caf::actor_system& system) {
  return dynamic_cast<scheduler&>(system.scheduler());
}

void scheduler::init(caf::actor_system_config& cfg) {
  super::init(cfg);
  auto cores = std::max<size_t>(1, std::thread::hardware_concurrency());
  auto wanted = caf::get_or(cfg, "scheduler.max-threads", size_t{0});
  network_count_ = wanted == 0 ? cores : wanted;
  // The base class starts as many compute workers.
  num_workers_ = caf::get_or(cfg, "scheduler.compute-threads", size_t{2});
  max_throughput_ = std::min(max_throughput_, most_throughput);
}

network_worker& scheduler::home_of(std::string_view key) noexcept {
  return *networks_[std::hash<std::string_view>{}(key) % networks_.size()];
}

network_worker& scheduler::lightest_home() {
  return *networks_[balancer_->choose(balancer::clock::now())];
}

network_worker& scheduler::next_home() noexcept {
  return *networks_[next_.fetch_add(1, std::memory_order_relaxed) % networks_.size()];
}

size_t scheduler::sockets() const noexcept {
  size_t sum = 0;
  for (const auto& worker : networks_)
    sum += worker->sockets();
  return sum;
}

void scheduler::start() {
  for (size_t i = 0; i < network_count_; ++i)
    networks_.push_back(std::make_unique<network_worker>(system(), i, max_throughput_));
  for (auto& worker : networks_)
    worker->start();
  balancer_ = std::make_unique<balancer>(networks_.size(), [this](size_t index) {
    return balancer::load{networks_[index]->busy(), networks_[index]->sockets()};
  });
  super::start();
}

void scheduler::stop() {
  for (auto& worker : networks_)
    worker->stop();
  super::stop();
}

} // namespace tandem::net
