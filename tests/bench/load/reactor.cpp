#include "tests/bench/load/reactor.hpp"

#include "tests/bench/load/connection.hpp"

#include <algorithm>
#include <cerrno>
#include <sys/eventfd.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace tandem::bench {

namespace {

/// Enough for thousands of small messages a call, and still in the second-level cache.
constexpr size_t room_size = size_t{256} * 1024;
constexpr size_t events_per_turn = 512;

int checked(int fd, const char* what) {
  if (fd < 0)
    throw std::system_error(errno, std::generic_category(), what);
  return fd;
}

} // namespace

reactor::reactor()
    : epoll_(checked(epoll_create1(EPOLL_CLOEXEC), "epoll_create1")),
      wake_up_(checked(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), "eventfd")),
      events_(events_per_turn), read_room_(room_size), write_room_(room_size) {
  epoll_event event{.events = EPOLLIN, .data = {.ptr = nullptr}};
  checked(epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_up_, &event), "epoll_ctl");
}

reactor::~reactor() {
  close(wake_up_);
  close(epoll_);
}

void reactor::watch(int fd, uint32_t events, connection& who) {
  epoll_event event{.events = events, .data = {.ptr = &who}};
  checked(epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
}

void reactor::rewatch(int fd, uint32_t events, connection& who) {
  epoll_event event{.events = events, .data = {.ptr = &who}};
  checked(epoll_ctl(epoll_, EPOLL_CTL_MOD, fd, &event), "epoll_ctl");
}

void reactor::turn(clock::time_point deadline) {
  // epoll_wait's milliseconds are too coarse for a schedule of sends.
  auto left = eager_.empty() ? std::max(deadline - clock::now(), clock::duration::zero())
                             : clock::duration::zero();
  auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
  timespec timeout{.tv_sec = seconds.count(), .tv_nsec = (left - seconds).count()};
  auto n = epoll_pwait2(epoll_, events_.data(), events_per_turn, &timeout, nullptr);
  for (int i = 0; i < n; ++i) {
    const auto& event = events_[static_cast<size_t>(i)];
    if (event.data.ptr == nullptr)
      take_wake_up();
    else
      static_cast<connection*>(event.data.ptr)->handle(event.events);
  }
}

void reactor::flush() {
  std::swap(eager_, flushing_);
  for (auto* who : flushing_)
    who->flush();
  flushing_.clear();
}

void reactor::wake() noexcept {
  uint64_t one = 1;
  [[maybe_unused]] auto ignored = write(wake_up_, &one, sizeof one);
}

void reactor::take_wake_up() noexcept {
  uint64_t count = 0;
  [[maybe_unused]] auto ignored = read(wake_up_, &count, sizeof count);
}

} // namespace tandem::bench
