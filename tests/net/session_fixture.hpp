/// A session on a worker's thread, and the other end of its socket in the test's hands.
#pragma once

#include "decoding.hpp"
#include "net/session.hpp"
#include "wire.hpp"
#include "worker_thread.hpp"

#include <cerrno>
#include <cstdint>
#include <fcntl.h>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <sys/time.h>
#include <system_error>
#include <utility>
#include <vector>

namespace tandem::net {

/// The other end. It blocks, but for no longer than a test's patience.
class peer {
public:
  explicit peer(unique_fd fd) : fd_{std::move(fd)} {
    const timeval limit{.tv_sec = patience.count(), .tv_usec = 0};
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  }

  void send(std::string_view bytes) {
    while (!bytes.empty())
      bytes.remove_prefix(checked(::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL)));
  }

  /// As much as the kernel takes at once; returns how much that was.
  size_t send_some(std::string_view bytes) {
    auto n = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    return n < 0 && errno == EAGAIN ? 0 : checked(n);
  }

  /// One read; empty at the end.
  std::string receive_some() {
    std::string bytes(1 << 20, '\0');
    bytes.resize(checked(::recv(fd_.get(), bytes.data(), bytes.size(), 0)));
    return bytes;
  }

  /// The next frame; nothing if the stream ends ahead of it.
  std::optional<wire::frame> receive() {
    for (;;) {
      std::string_view rest = std::string_view{received_}.substr(used_);
      if (auto x = wire::take_frame(rest)) {
        used_ = received_.size() - rest.size();
        return x;
      }
      received_.erase(0, std::exchange(used_, 0));
      auto more = receive_some();
      if (more.empty())
        return std::nullopt;
      received_ += more;
    }
  }

  void hang_up() { fd_ = {}; }

private:
  static size_t checked(ssize_t n) {
    if (n < 0)
      throw std::system_error{errno, std::generic_category(), "the test's socket"};
    return static_cast<size_t>(n);
  }

  unique_fd fd_;
  std::string received_;
  size_t used_ = 0;
};

/// What a session told its owner. To be looked at on the worker's thread.
struct told final : link_events {
  void on_chunk(chunk frames) override {
    forwarded.add(frames.bytes());
    cost += frames.cost();
  }
  void on_sent(size_t n) override { sent += n; }
  void on_hangup() override { ++hangups; }
  void on_end(const ending& how) override { end = how; }

  reassembly forwarded;
  size_t cost = 0;
  size_t sent = 0;
  int hangups = 0;
  std::optional<ending> end;
};

struct setup {
  /// SOCK_SEQPACKET shows the test where one write ends and the next begins.
  int type = SOCK_STREAM;
  session_limits limits{};
  std::string early{};
};

class session_test {
public:
  explicit session_test(setup x = {}) : limits_{x.limits}, sockets_{make_sockets(x.type)} {
    link_ = session::make(thread_.worker(), transport{std::move(sockets_.first)},
                          std::move(x.early), limits_);
  }

  ~session_test() { release(); }

  session_test(const session_test&) = delete;
  session_test& operator=(const session_test&) = delete;

  /// Starts the session with an allowance, in bytes of cost.
  void start(int64_t allowance = 1 << 30) {
    thread_.run([&] {
      link_->allow(allowance);
      link_->start(told_);
    });
  }

  /// Calls `what` with the link on the worker's thread.
  template <class F>
  auto run(F what) {
    return thread_.run([&] { return what(*link_); });
  }

  /// What `look` returns of what the owner was told.
  template <class F>
  auto heard(F look) {
    return thread_.run([&] { return look(std::as_const(told_)); });
  }

  template <class F>
  void wait_until(F holds, const char* what) {
    thread_.turn_until([&] { return holds(std::as_const(told_)); }, what);
  }

  /// Waits until so many messages came, and returns them.
  std::vector<wire::message> messages(size_t n) {
    wait_until([=](const told& x) { return x.forwarded.messages().size() >= n; }, "messages");
    return heard([](const told& x) { return x.forwarded.messages(); });
  }

  ending await_end() {
    wait_until([](const told& x) { return x.end.has_value(); }, "the end");
    return heard([](const told& x) { return *x.end; });
  }

  /// The owner gives the link up.
  void release() {
    thread_.run([&] { link_.reset(); });
  }

  void turn() { thread_.turn(); }

  /// Returns once the session is freed.
  void wait_until_freed() {
    thread_.turn_until([&] { return sockets() == 0; }, "the session to be freed");
  }

  size_t sockets() { return thread_.worker().sockets(); }

  worker_thread& thread() { return thread_; }
  peer& other() { return other_; }

private:
  static std::pair<unique_fd, unique_fd> make_sockets(int type) {
    int fds[2];
    if (::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds) != 0)
      throw std::system_error{errno, std::generic_category(), "socketpair"};
    ::fcntl(fds[0], F_SETFL, O_NONBLOCK);
    return {unique_fd{fds[0]}, unique_fd{fds[1]}};
  }

  // Both outlive the thread, whose sockets refer to them.
  session_limits limits_;
  told told_;
  std::pair<unique_fd, unique_fd> sockets_;
  worker_thread thread_;
  link_ptr link_;
  peer other_{std::move(sockets_.second)};
};

/// Whole frames as an actor forwards them.
inline chunk data_chunk(const wire::message& x) {
  const auto frame = wire::from_server(x.opcode, x.payload);
  return make_chunk(std::as_bytes(std::span{frame}));
}

} // namespace tandem::net
