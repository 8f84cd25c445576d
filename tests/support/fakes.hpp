/// Homes, links and gates without threads and sockets.
#pragma once

#include "net/gate.hpp"
#include "net/home.hpp"
#include "net/link.hpp"

#include <caf/scheduler/abstract_coordinator.hpp>

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tandem::test {

/// A home whose jobs and timers wait until the test runs them.
class fake_home final : public net::home {
public:
  using time = std::chrono::milliseconds;

  fake_home(caf::actor_system& system, size_t index) : net::home{&system}, index_{index} {}

  ~fake_home() override {
    for (auto* job : jobs)
      caf::scheduler::abstract_coordinator::cleanup_and_release(job);
  }

  void exec_later(caf::resumable* job) override { jobs.push_back(job); }

  size_t index() const noexcept override { return index_; }

  void call_after(time delay, std::function<void()> what) override {
    timers_.emplace(now_ + delay, std::move(what));
  }

  size_t timers() const { return timers_.size(); }

  /// When the next timer is due.
  std::optional<time> next_timer() const {
    return timers_.empty() ? std::nullopt : std::optional{timers_.begin()->first};
  }

  /// Sets the clock and calls what is due by then.
  void move_to(time now) {
    now_ = now;
    while (!timers_.empty() && timers_.begin()->first <= now_) {
      auto what = std::move(timers_.begin()->second);
      timers_.erase(timers_.begin());
      what();
    }
  }

  std::deque<caf::resumable*> jobs;

private:
  size_t index_;
  time now_{0};
  std::multimap<time, std::function<void()>> timers_;
};

/// A link that writes down what its owner does, and whose other end the test plays. It outlives its
/// owner.
class fake_link final : public net::link {
public:
  explicit fake_link(net::home& where) : where_{where} {}

  // -- the owner's side
  net::home& where() noexcept override { return where_; }

  void start(net::link_events& events) override {
    events_ = &events;
    if (on_start)
      on_start();
  }

  net::send_status send(net::chunk frames) noexcept override {
    if (!events_)
      return net::send_status::ended;
    unsent_ += frames.cost();
    sent.push_back(std::move(frames));
    return net::send_status::queued;
  }

  void flush_soon() override { wants_flush = true; }
  void keep_kernel_queue_short() noexcept override { kept_short = true; }
  void allow(int64_t cost) override { allowance = cost; }
  void allow_more(uint64_t cost) override { allowance += static_cast<int64_t>(cost); }
  void ping() override { ++pings; }
  uint32_t life() const noexcept override { return lives; }
  bool paused() const noexcept override { return allowance <= 0; }
  bool inside_message() const noexcept override { return inside; }

  void close(const ending& how) noexcept override {
    events_ = nullptr;
    closed = how;
  }

  void tell_bound(const peer_info_ptr& peer) override { bound = peer; }
  void tell_waiting(uint32_t at) override { position = at; }
  void tell_peer_lost(bool rematches) override { rematching = rematches; }

  net::link_stats stats() const noexcept override { return {}; }

  void release() noexcept override {
    events_ = nullptr;
    released = true;
  }

  // -- the other end's side
  /// True while the owner hears of events.
  bool open() const { return events_ != nullptr; }

  void receive(net::chunk frames) {
    ++lives;
    allowance -= static_cast<int64_t>(frames.cost());
    events_->on_chunk(std::move(frames));
  }

  /// The kernel takes as much of what is queued.
  void drain(size_t cost) {
    unsent_ -= cost;
    events_->on_sent(cost);
  }

  /// The kernel takes all that is queued.
  void drain() {
    if (unsent_ > 0)
      drain(unsent_);
  }

  /// The turn ends.
  void flush() {
    if (std::exchange(wants_flush, false) && events_)
      events_->on_flush();
  }

  void hang_up() { events_->on_hangup(); }

  void end(const ending& how) { std::exchange(events_, nullptr)->on_end(how); }

  /// Called within start().
  std::function<void()> on_start;
  std::vector<net::chunk> sent;
  std::optional<ending> closed;
  /// What a framed peer would have been told last.
  peer_info_ptr bound;
  std::optional<uint32_t> position;
  std::optional<bool> rematching;
  int64_t allowance = 0;
  int pings = 0;
  uint32_t lives = 0;
  bool inside = false;
  bool wants_flush = false;
  bool kept_short = false;
  bool released = false;

private:
  net::home& where_;
  net::link_events* events_ = nullptr;
  size_t unsent_ = 0;
};

/// A front that only remembers its keeper.
class fake_gate final : public net::gate {
public:
  explicit fake_gate(net::home& where) : where_{where} {}

  net::home& where() noexcept override { return where_; }

  void guard_with(net::gatekeeper* next) override { keeper = next; }

  net::gatekeeper* keeper = nullptr;

private:
  net::home& where_;
};

/// A chunk with these bytes, whether they are frames or not: no actor looks into it.
inline net::chunk chunk_of(std::string_view bytes) {
  return net::make_chunk(std::as_bytes(std::span{bytes}));
}

/// A chunk that costs this much, in bytes; at least a chunk's head.
inline net::chunk chunk_that_costs(size_t cost) {
  return chunk_of(std::string(cost - sizeof(net::chunk_block), 'x'));
}

inline std::string text_of(const net::chunk& x) {
  return {reinterpret_cast<const char*>(x.bytes().data()), x.bytes().size()};
}

/// What was sent, one after the other.
inline std::vector<std::string> texts_of(const std::vector<net::chunk>& chunks) {
  std::vector<std::string> result;
  for (const auto& x : chunks)
    result.push_back(text_of(x));
  return result;
}

} // namespace tandem::test
