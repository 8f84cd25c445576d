/// The ground that actor tests stand on: CAF's test coordinator, homes without threads, and clocks
/// that only the test moves.
#pragma once

#include "actors/directory.hpp"
#include "actors/messages.hpp"
#include "support/fakes.hpp"

#include <caf/actor_registry.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/local_actor.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <caf/send.hpp>
#include <catch2/catch.hpp>
#include <spdlog/spdlog.h>

#include <memory>
#include <unordered_set>
#include <vector>

namespace tandem::test {

class world {
public:
  using time = std::chrono::milliseconds;

  explicit world(size_t homes = 1) {
    spdlog::set_level(spdlog::level::off);
    for (size_t i = 0; i < homes; ++i)
      homes_.push_back(std::make_unique<fake_home>(system_, i));
  }

  world(const world&) = delete;

  /// Ends all actors, and checks that they did.
  ~world() {
    settle();
    directory::clear(system_, homes_.size());
    for (const auto& actor : seen_)
      caf::anon_send_exit(actor, caf::exit_reason::kill);
    coordinator().clock().cancel_all();
    settle();
    CHECK(system_.registry().running() == 0);
    // Or else a test that failed would hang.
    system_.await_actors_before_shutdown(false);
  }

  caf::actor_system& system() { return system_; }

  fake_home& home(size_t index = 0) { return *homes_[index]; }

  fake_link& make_link(size_t home = 0) {
    return *links_.emplace_back(std::make_unique<fake_link>(*homes_[home]));
  }

  /// The time that has passed.
  time now() const { return now_; }

  /// Lets so much time pass, with every actor at rest in between.
  void advance(time span) {
    settle();
    const auto until = now_ + span;
    for (auto next = next_timer(until); next < until; next = next_timer(until))
      move_to(next);
    move_to(until);
  }

  /// Runs actors, in the order in which they became ready, until all rest.
  void settle() {
    do {
      while (run_one([](size_t) { return size_t{0}; })) {
      }
    } while (coordinator().advance_time(caf::timespan{0}) > 0);
  }

  /// Has one ready actor handle one message; `pick` chooses which of so many. False if all rest.
  template <class Pick>
  bool run_one(Pick pick) {
    size_t ready = coordinator().jobs.size();
    for (const auto& home : homes_)
      ready += home->jobs.size();
    if (ready == 0)
      return false;
    size_t chosen = pick(ready);
    if (chosen < coordinator().jobs.size()) {
      run(compute_, coordinator().jobs, chosen);
      return true;
    }
    chosen -= coordinator().jobs.size();
    auto home = homes_.begin();
    for (; chosen >= (*home)->jobs.size(); ++home)
      chosen -= (*home)->jobs.size();
    run(**home, (*home)->jobs, chosen);
    return true;
  }

private:
  struct config : caf::actor_system_config {
    config() {
      set("scheduler.policy", caf::atom("testing"));
      add_message_types<caf::id_block::tandem>();
    }
  };

  /// Where actors run that aren't pinned.
  class compute_unit final : public caf::execution_unit {
  public:
    explicit compute_unit(world& owner) : execution_unit{&owner.system_}, owner_{owner} {}
    void exec_later(caf::resumable* job) override { owner_.coordinator().jobs.push_back(job); }

  private:
    world& owner_;
  };

  caf::scheduler::test_coordinator& coordinator() {
    return dynamic_cast<caf::scheduler::test_coordinator&>(system_.scheduler());
  }

  void run(caf::execution_unit& unit, std::deque<caf::resumable*>& jobs, size_t index) {
    auto* job = jobs[index];
    jobs.erase(jobs.begin() + static_cast<std::ptrdiff_t>(index));
    if (auto* actor = dynamic_cast<caf::local_actor*>(job))
      seen_.insert(actor->address());
    if (job->resume(&unit, 1) == caf::resumable::resume_later)
      jobs.push_back(job);
    else
      caf::intrusive_ptr_release(job);
  }

  time next_timer(time latest) const {
    for (const auto& home : homes_)
      latest = std::min(latest, home->next_timer().value_or(latest));
    return latest;
  }

  void move_to(time next) {
    coordinator().advance_time(next - now_);
    now_ = next;
    for (const auto& home : homes_)
      home->move_to(next);
    settle();
  }

  config config_;
  caf::actor_system system_{config_};
  compute_unit compute_{*this};
  std::vector<std::unique_ptr<fake_home>> homes_;
  std::vector<std::unique_ptr<fake_link>> links_;
  std::unordered_set<caf::actor_addr> seen_;
  time now_{0};
};

} // namespace tandem::test
