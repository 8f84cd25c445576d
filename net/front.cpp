#include "net/front.hpp"

#include "net/handshake.hpp"
#include "net/listener.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <caf/actor_system.hpp>
#include <caf/detail/set_thread_name.hpp>
#include <caf/resumable.hpp>
#include <spdlog/spdlog.h>

#include <atomic>
#include <stdexcept>
#include <thread>
#include <utility>

namespace tandem::net {

namespace asio = boost::asio;

namespace {

/// Messages that an actor of the front may handle before a handshake has its turn.
constexpr size_t max_throughput = 64;

} // namespace

struct front::impl {
  explicit impl(front_options wanted) : state{std::move(wanted)} {}

  void listen(const listen_address& where);

  /// Outlives the context, which takes handshakes that aren't done with it.
  front_state state;
  asio::io_context context{1};
  asio::executor_work_guard<asio::io_context::executor_type> work{context.get_executor()};
  std::vector<std::unique_ptr<listener>> listeners;
  bool accepting = false;
  std::atomic<bool> has_keeper{false};
  std::thread thread;
};

void front::impl::listen(const listen_address& where) {
  try {
    listeners.push_back(std::make_unique<listener>(context, where));
  } catch (const boost::system::system_error& error) {
    const auto name = to_string(where);
    // A machine without IPv6 still serves IPv4.
    if (error.code() == boost::system::errc::address_family_not_supported &&
        state.options.listen.size() > 1)
      spdlog::warn("not listening on {}: {}", name, error.code().message());
    else
      throw std::runtime_error{"cannot listen on " + name + ": " + error.code().message()};
  }
}

front::front(caf::actor_system& system, front_options options)
    : home{&system}, impl_{std::make_unique<impl>(std::move(options))} {
  for (const auto& where : impl_->state.options.listen)
    impl_->listen(where);
  if (impl_->listeners.empty())
    throw std::runtime_error{"no address to listen on"};
}

front::~front() {
  if (impl_->thread.joinable())
    stop();
}

std::vector<std::string> front::listening() const {
  std::vector<std::string> result;
  for (const auto& listener : impl_->listeners)
    result.push_back(listener->name());
  return result;
}

const refusal_counts& front::refusals() const noexcept {
  return impl_->state.refusals;
}

void front::start() {
  impl_->thread = std::thread{[this] {
    caf::detail::set_thread_name("tandem.front");
    system().thread_started();
    impl_->context.run();
    system().thread_terminates();
  }};
}

void front::stop_accepting() {
  asio::post(impl_->context, [this] {
    for (auto& listener : impl_->listeners)
      listener->close();
  });
}

void front::stop() {
  impl_->context.stop();
  impl_->thread.join();
}

void front::exec_later(caf::resumable* job) {
  asio::post(impl_->context, [this, job] {
    if (job->resume(this, max_throughput) == caf::resumable::resume_later)
      exec_later(job);
    else
      caf::intrusive_ptr_release(job);
  });
}

void front::call_after(std::chrono::milliseconds delay, std::function<void()> what) {
  auto timer = std::make_shared<asio::steady_timer>(impl_->context, delay);
  timer->async_wait([timer, what = std::move(what)](boost::system::error_code error) {
    if (!error)
      what();
  });
}

void front::wait_until_guarded() const {
  impl_->has_keeper.wait(false);
}

bool front::guarded() const noexcept {
  return impl_->has_keeper.load(std::memory_order_acquire);
}

void front::guard_with(gatekeeper* keeper) {
  impl_->state.keeper = keeper;
  impl_->has_keeper.store(keeper != nullptr, std::memory_order_release);
  impl_->has_keeper.notify_all();
  if (keeper == nullptr || std::exchange(impl_->accepting, true))
    return;
  for (auto& listener : impl_->listeners) {
    auto serve = [this, &where = listener->where()](stream_socket socket) {
      auto peer = std::make_shared<handshake>(std::move(socket), where, impl_->state);
      asio::co_spawn(
          impl_->context, [peer] { return peer->run(); }, asio::detached);
    };
    asio::co_spawn(impl_->context, listener->accept(serve), asio::detached);
  }
}

} // namespace tandem::net
