/// A thread with sockets and the actors that go with them.
#pragma once

#include "net/fd.hpp"
#include "net/home.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

namespace tandem::net {

class network_worker;

/// One descriptor for a network worker's epoll set. All calls come on the worker's thread.
class socket_handler {
public:
  /// `owner` counts it from now on, though it may join its epoll set later. Any thread.
  explicit socket_handler(network_worker& owner);
  socket_handler(const socket_handler&) = delete;
  virtual ~socket_handler();

  virtual int fd() const noexcept = 0;

  /// The socket is ready; `events` are epoll's.
  virtual void on_ready(uint32_t events) = 0;

  /// The turn ends: what is queued has to leave. Called after network_worker::flush_later.
  virtual void flush() = 0;

  /// Some time has passed while it was watched. False if it need not be watched any longer.
  virtual bool check_deadline(std::chrono::steady_clock::time_point now) = 0;

private:
  friend class network_worker;
  network_worker& owner_;
  /// Where the worker keeps it.
  size_t index_ = 0;
  bool dirty_ = false;
  bool watched_ = false;
};

/// A home whose thread alternates between ready actors and ready sockets, and sleeps in epoll when
/// there is neither. Other threads wake it only if it sleeps. Everything but exec_later, start,
/// stop, sockets() and busy() is for its own thread.
class network_worker final : public home {
public:
  network_worker(caf::actor_system& system, size_t index, size_t max_throughput);
  ~network_worker() override;

  void start();

  /// Ends the thread and joins it, then frees the sockets and actors that are left. Not from its
  /// own thread.
  void stop();

  void exec_later(caf::resumable* job) override;
  void call_after(std::chrono::milliseconds delay, std::function<void()> what) override;

  /// Takes over `handler`, made by new, and watches its socket for `events`. Throws
  /// std::system_error, and takes nothing over then.
  void add(socket_handler& handler, uint32_t events);

  /// Watches the socket for other events.
  void modify(socket_handler& handler, uint32_t events);

  /// Frees `handler` at the end of the turn.
  void remove(socket_handler& handler);

  /// Has `handler` flushed at the end of the turn, once.
  void flush_later(socket_handler& handler);

  /// Calls the handler's check_deadline ten times a second, until that returns false.
  void watch(socket_handler& handler);

  /// The buffer for reading that all sockets of this worker share; what is in it lasts until the
  /// handler returns.
  std::span<std::byte> read_buffer() noexcept { return {buffer_.get(), read_buffer_size}; }

  /// The sockets that it has or is about to get. Any thread.
  size_t sockets() const noexcept { return socket_count_.load(std::memory_order_relaxed); }

  /// The CPU time that its thread has taken, once it was started. Any thread.
  std::chrono::nanoseconds busy();

  size_t index() const noexcept override { return index_; }

  static constexpr size_t read_buffer_size = size_t{256} << 10;

private:
  friend class socket_handler;
  using clock = std::chrono::steady_clock;

  void run();
  void run_actors();
  void run_actor(caf::resumable* job);
  void flush_dirty();
  void wait_for_events();
  int wait_timeout();
  bool prepare_to_sleep();
  bool take_remote_jobs();
  void wake() noexcept;
  void run_timers();
  void check_watched_later();
  void check_watched();
  void bury();

  size_t index_;
  size_t max_throughput_;
  unique_fd epoll_;
  unique_fd wakeup_;
  std::unique_ptr<std::byte[]> buffer_;
  std::thread thread_;
  std::atomic<bool> stopping_{false};
  std::atomic<size_t> socket_count_{0};

  std::deque<caf::resumable*> jobs_;
  std::vector<std::unique_ptr<socket_handler>> handlers_;
  std::vector<socket_handler*> dirty_;
  std::vector<socket_handler*> watched_;
  bool check_is_due_ = false;
  std::vector<std::unique_ptr<socket_handler>> removed_;
  std::multimap<clock::time_point, std::function<void()>> timers_;
  /// When this thread last looked at the clock, as it does once a turn while there are timers.
  clock::time_point now_;

  /// What other threads queued. On a cache line of its own.
  struct alignas(64) {
    std::mutex mutex;
    std::vector<caf::resumable*> jobs;
    /// Either the thread that goes to sleep sees that there are jobs, or the one that brings them
    /// sees that it sleeps.
    std::atomic<bool> any{false};
    std::atomic<bool> asleep{false};
  } remote_;
  std::vector<caf::resumable*> taken_;
};

} // namespace tandem::net
