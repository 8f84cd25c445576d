/// A thread's epoll set, and what its connections share: buffers, and the list of those with
/// something to send.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <sys/epoll.h>
#include <vector>

namespace tandem::bench {

using clock = std::chrono::steady_clock;

class connection;

/// One per thread. Nothing of it but `wake` may be used from another thread.
class reactor {
public:
  /// Throws std::system_error if the kernel has no descriptor left.
  reactor();
  ~reactor();
  reactor(const reactor&) = delete;
  reactor& operator=(const reactor&) = delete;

  /// Starts to watch `fd` on behalf of `who`. Closing `fd` ends it.
  void watch(int fd, uint32_t events, connection& who);
  /// Changes what is watched for.
  void rewatch(int fd, uint32_t events, connection& who);

  /// Waits until `deadline` at the most and lets each connection with an event handle it.
  void turn(clock::time_point deadline);

  /// Lets each connection in the list write, once. Those that have more to write join the list
  /// anew.
  void flush();

  /// Puts `who` on the list. To be called once per connection and turn.
  void enlist(connection& who) { eager_.push_back(&who); }

  /// The time of the latest read or write, near enough to the present for all that happens on
  /// account of it.
  clock::time_point now() const noexcept { return now_; }
  void read_clock() noexcept { now_ = clock::now(); }

  /// Ends the present, or the next, wait. Any thread.
  void wake() noexcept;

  /// Room that is free for use until the call that asked for it returns.
  std::span<std::byte> read_room() noexcept { return read_room_; }
  std::span<std::byte> write_room() noexcept { return write_room_; }

private:
  void take_wake_up() noexcept;

  int epoll_;
  int wake_up_;
  clock::time_point now_ = clock::now();
  std::vector<epoll_event> events_;
  std::vector<connection*> eager_;
  std::vector<connection*> flushing_;
  std::vector<std::byte> read_room_;
  std::vector<std::byte> write_room_;
};

} // namespace tandem::bench
