#include "net/network_worker.hpp"

#include <caf/actor_system.hpp>
#include <caf/detail/set_thread_name.hpp>
#include <caf/resumable.hpp>
#include <caf/scheduler/abstract_coordinator.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <system_error>

namespace tandem::net {

namespace {

/// The worker whose thread this is.
thread_local const network_worker* current_worker = nullptr;

constexpr auto watch_interval = std::chrono::milliseconds{100};

unique_fd checked(int fd, const char* what) {
  if (fd < 0)
    throw std::system_error{errno, std::generic_category(), what};
  return unique_fd{fd};
}

} // namespace

socket_handler::socket_handler(network_worker& owner) : owner_{owner} {
  owner_.socket_count_.fetch_add(1, std::memory_order_relaxed);
}

socket_handler::~socket_handler() {
  owner_.socket_count_.fetch_sub(1, std::memory_order_relaxed);
}

network_worker::network_worker(caf::actor_system& system, size_t index, size_t max_throughput)
    : home{&system}, index_{index}, max_throughput_{max_throughput},
      epoll_{checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")},
      wakeup_{checked(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd")},
      buffer_{new std::byte[read_buffer_size]} {
  epoll_event event{.events = EPOLLIN, .data = {.ptr = nullptr}};
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wakeup_.get(), &event) != 0)
    throw std::system_error{errno, std::generic_category(), "epoll_ctl"};
}

network_worker::~network_worker() = default;

void network_worker::start() {
  thread_ = std::thread{[this] {
    current_worker = this;
    caf::detail::set_thread_name(("tandem.net" + std::to_string(index_)).c_str());
    system().thread_started();
    run();
    system().thread_terminates();
  }};
}

void network_worker::stop() {
  stopping_ = true;
  wake();
  thread_.join();
  handlers_.clear();
  removed_.clear();
  take_remote_jobs();
  for (auto* job : jobs_)
    caf::scheduler::abstract_coordinator::cleanup_and_release(job);
  jobs_.clear();
}

std::chrono::nanoseconds network_worker::busy() {
  clockid_t its_time{};
  timespec time{};
  if (::pthread_getcpuclockid(thread_.native_handle(), &its_time) != 0 ||
      ::clock_gettime(its_time, &time) != 0)
    return {};
  return std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec};
}

void network_worker::exec_later(caf::resumable* job) {
  if (current_worker == this) {
    jobs_.push_back(job);
    return;
  }
  {
    const std::lock_guard guard{remote_.mutex};
    remote_.jobs.push_back(job);
    remote_.any.store(true);
  }
  // Wake only a sleeper: a wake-up costs more than a frame.
  if (remote_.asleep.exchange(false))
    wake();
}

void network_worker::call_after(std::chrono::milliseconds delay, std::function<void()> what) {
  now_ = clock::now();
  timers_.emplace(now_ + delay, std::move(what));
}

void network_worker::add(socket_handler& handler, uint32_t events) {
  if (handlers_.size() == handlers_.capacity())
    handlers_.reserve(std::max<size_t>(64, 2 * handlers_.size()));
  epoll_event event{.events = events, .data = {.ptr = &handler}};
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, handler.fd(), &event) != 0)
    throw std::system_error{errno, std::generic_category(), "epoll_ctl"};
  handler.index_ = handlers_.size();
  handlers_.emplace_back(&handler);
}

void network_worker::modify(socket_handler& handler, uint32_t events) {
  epoll_event event{.events = events, .data = {.ptr = &handler}};
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, handler.fd(), &event);
}

void network_worker::remove(socket_handler& handler) {
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, handler.fd(), nullptr);
  auto index = handler.index_;
  if (handler.watched_)
    std::erase(watched_, &handler);
  // The turn may still hold a pointer to it: an event of the same batch, or its place among the
  // dirty.
  removed_.push_back(std::move(handlers_[index]));
  handlers_[index] = std::move(handlers_.back());
  handlers_.pop_back();
  if (index < handlers_.size())
    handlers_[index]->index_ = index;
  handler.index_ = SIZE_MAX;
}

void network_worker::flush_later(socket_handler& handler) {
  if (std::exchange(handler.dirty_, true))
    return;
  dirty_.push_back(&handler);
}

void network_worker::watch(socket_handler& handler) {
  if (std::exchange(handler.watched_, true))
    return;
  watched_.push_back(&handler);
  check_watched_later();
}

void network_worker::run() {
  while (!stopping_.load(std::memory_order_relaxed)) {
    run_actors();
    flush_dirty();
    bury();
    wait_for_events();
    run_timers();
  }
}

/// Runs what is ready now. What that makes ready comes in the next turn, after the sockets had
/// theirs, so that two actors that keep each other busy can't starve them.
void network_worker::run_actors() {
  if (remote_.any.load(std::memory_order_relaxed))
    take_remote_jobs();
  for (auto n = jobs_.size(); n > 0; --n) {
    auto* job = jobs_.front();
    jobs_.pop_front();
    run_actor(job);
  }
}

void network_worker::run_actor(caf::resumable* job) {
  switch (job->resume(this, max_throughput_)) {
  case caf::resumable::resume_later:
    jobs_.push_back(job);
    break;
  case caf::resumable::done:
  case caf::resumable::awaiting_message:
  case caf::resumable::shutdown_execution_unit:
    caf::intrusive_ptr_release(job);
    break;
  }
}

void network_worker::flush_dirty() {
  // A flush may return credit to an actor, but makes no other handler dirty before the next turn.
  for (size_t i = 0; i < dirty_.size(); ++i) {
    dirty_[i]->dirty_ = false;
    if (dirty_[i]->index_ != SIZE_MAX)
      dirty_[i]->flush();
  }
  dirty_.clear();
}

void network_worker::wait_for_events() {
  std::array<epoll_event, 256> events;
  auto timeout = wait_timeout();
  auto n = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), timeout);
  remote_.asleep.store(false, std::memory_order_relaxed);
  for (int i = 0; i < n; ++i) {
    auto* handler = static_cast<socket_handler*>(events[static_cast<size_t>(i)].data.ptr);
    if (handler == nullptr) {
      uint64_t count;
      [[maybe_unused]] auto ignored = ::read(wakeup_.get(), &count, sizeof count);
    } else if (handler->index_ != SIZE_MAX) {
      handler->on_ready(events[static_cast<size_t>(i)].events);
    }
  }
}

/// In milliseconds, for epoll_wait: 0 if there is more to do, -1 if nothing is due.
int network_worker::wait_timeout() {
  if (!jobs_.empty() || !dirty_.empty() || !prepare_to_sleep())
    return 0;
  if (timers_.empty())
    return -1;
  auto left = timers_.begin()->first - now_;
  return static_cast<int>(
      std::clamp<int64_t>(std::chrono::ceil<std::chrono::milliseconds>(left).count(), 0, 60'000));
}

/// False if another thread has queued something. Else that thread will wake this one.
bool network_worker::prepare_to_sleep() {
  remote_.asleep.store(true);
  if (!remote_.any.load() && !stopping_.load(std::memory_order_relaxed))
    return true;
  remote_.asleep.store(false, std::memory_order_relaxed);
  return false;
}

bool network_worker::take_remote_jobs() {
  {
    std::lock_guard guard{remote_.mutex};
    taken_.swap(remote_.jobs);
    remote_.any.store(false, std::memory_order_relaxed);
  }
  jobs_.insert(jobs_.end(), taken_.begin(), taken_.end());
  taken_.clear();
  return !jobs_.empty();
}

void network_worker::wake() noexcept {
  uint64_t one = 1;
  [[maybe_unused]] auto ignored = ::write(wakeup_.get(), &one, sizeof one);
}

void network_worker::run_timers() {
  if (timers_.empty())
    return;
  now_ = clock::now();
  while (!timers_.empty() && timers_.begin()->first <= now_) {
    auto what = std::move(timers_.begin()->second);
    timers_.erase(timers_.begin());
    what();
  }
}

void network_worker::check_watched_later() {
  // One call at a time, even if the last handler left before the call that was due for it.
  if (std::exchange(check_is_due_, true))
    return;
  call_after(watch_interval, [this] { check_watched(); });
}

void network_worker::check_watched() {
  check_is_due_ = false;
  auto now = clock::now();
  auto watched = watched_;
  for (auto* handler : watched)
    if (handler->index_ != SIZE_MAX)
      handler->watched_ = handler->check_deadline(now);
  std::erase_if(watched_, [](const socket_handler* handler) { return !handler->watched_; });
  if (!watched_.empty())
    check_watched_later();
}

void network_worker::bury() {
  removed_.clear();
}

} // namespace tandem::net
