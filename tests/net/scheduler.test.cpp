#include "net/scheduler.hpp"

#include "worker_thread.hpp"

#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scoped_actor.hpp>
#include <catch2/catch.hpp>

#include <algorithm>
#include <future>
#include <set>
#include <string>
#include <thread>

using namespace tandem::net;

namespace {

struct config : caf::actor_system_config {
  explicit config(size_t networks) {
    load<scheduler>();
    caf::put(content, "scheduler.max-threads", networks);
    caf::put(content, "scheduler.compute-threads", size_t{1});
  }
};

/// Answers whether it runs on another thread than the given one. A class, since UBSan takes offence
/// at what CAF does to spawn a function.
class elsewhere final : public caf::event_based_actor {
public:
  elsewhere(caf::actor_config& cfg, std::thread::id thread)
      : caf::event_based_actor{cfg}, thread_{thread} {}

  caf::behavior make_behavior() override {
    return {[this](int) { return std::this_thread::get_id() != thread_; }};
  }

private:
  std::thread::id thread_;
};

} // namespace

TEST_CASE("a scheduler has as many network workers as it is told") {
  config cfg{3};
  caf::actor_system system{cfg};
  auto& sched = scheduler::of(system);
  REQUIRE(sched.networks() == 3);
  CHECK(sched.sockets() == 0);
  for (size_t i = 0; i < 3; ++i) {
    CHECK(sched.network(i).index() == i);
    std::promise<std::thread::id> where;
    sched.network(i).exec_later(new task{[&where] {
      where.set_value(std::this_thread::get_id());
      return caf::resumable::done;
    }});
    CHECK(await(where.get_future(), "a job") != std::this_thread::get_id());
  }
}

TEST_CASE("a scheduler that isn't told has a network worker for each core") {
  config cfg{0};
  caf::actor_system system{cfg};
  CHECK(scheduler::of(system).networks() == std::max(1U, std::thread::hardware_concurrency()));
}

TEST_CASE("a key has one home and keys have many") {
  config cfg{4};
  caf::actor_system system{cfg};
  auto& sched = scheduler::of(system);
  std::set<size_t> homes;
  for (int i = 0; i < 1000; ++i) {
    const auto key = "key " + std::to_string(i);
    CHECK(&sched.home_of(key) == &sched.home_of(std::string{key}));
    homes.insert(sched.home_of(key).index());
  }
  CHECK(homes.size() == 4);
}

TEST_CASE("homes that no key decides are taken in turn") {
  config cfg{3};
  caf::actor_system system{cfg};
  auto& sched = scheduler::of(system);
  const auto first = sched.next_home().index();
  for (size_t i = 1; i < 10; ++i)
    CHECK(sched.next_home().index() == (first + i) % 3);
}

TEST_CASE("actors that are not pinned run beside the network workers") {
  config cfg{1};
  caf::actor_system system{cfg};
  std::promise<std::thread::id> network;
  scheduler::of(system).network(0).exec_later(new task{[&network] {
    network.set_value(std::this_thread::get_id());
    return caf::resumable::done;
  }});
  const auto network_thread = await(network.get_future(), "a job");
  auto teller = system.spawn<elsewhere>(network_thread);
  caf::scoped_actor self{system};
  self->request(teller, patience, 1)
      .receive([](bool was_elsewhere) { CHECK(was_elsewhere); },
               [](const caf::error& error) { FAIL(caf::to_string(error)); });
}
