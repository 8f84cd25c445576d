#include "net/front.hpp"

#include "net/handshake.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <caf/actor_system.hpp>
#include <caf/detail/set_thread_name.hpp>
#include <caf/resumable.hpp>
#include <spdlog/spdlog.h>

#include <atomic>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <utility>

namespace tandem::net {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

/// How long the front waits when the process or the machine is out of descriptors or memory.
constexpr auto accept_pause = std::chrono::milliseconds{100};

/// Messages that an actor of the front may handle before a handshake has its turn.
constexpr size_t max_throughput = 64;

std::string text_of(const tcp::endpoint& endpoint) {
  std::ostringstream out;
  out << endpoint;
  return out.str();
}

bool is_shortage(boost::system::error_code error) {
  namespace errc = boost::system::errc;
  return error == errc::too_many_files_open || error == errc::too_many_files_open_in_system ||
         error == errc::no_buffer_space || error == errc::not_enough_memory;
}

} // namespace

struct front::impl {
  explicit impl(front_options wanted) : state{.options = std::move(wanted)} {}

  void listen(const listen_address& where);
  asio::awaitable<void> accept(tcp::acceptor& acceptor);

  asio::io_context context{1};
  asio::executor_work_guard<asio::io_context::executor_type> work{context.get_executor()};
  front_state state;
  std::vector<tcp::acceptor> acceptors;
  bool accepting = false;
  std::atomic<bool> has_keeper{false};
  std::thread thread;
};

void front::impl::listen(const listen_address& where) {
  tcp::endpoint endpoint{asio::ip::make_address(where.address), where.port};
  try {
    tcp::acceptor acceptor{context};
    acceptor.open(endpoint.protocol());
    acceptor.set_option(tcp::acceptor::reuse_address{true});
    if (endpoint.protocol() == tcp::v6())
      acceptor.set_option(asio::ip::v6_only{true});
    acceptor.bind(endpoint);
    acceptor.listen(asio::socket_base::max_listen_connections);
    acceptors.push_back(std::move(acceptor));
  } catch (const boost::system::system_error& error) {
    // A machine without IPv6 still serves IPv4.
    if (error.code() == boost::system::errc::address_family_not_supported &&
        state.options.listen.size() > 1)
      spdlog::warn("not listening on {}: {}", text_of(endpoint), error.code().message());
    else
      throw std::runtime_error{"cannot listen on " + text_of(endpoint) + ": " +
                               error.code().message()};
  }
}

asio::awaitable<void> front::impl::accept(tcp::acceptor& acceptor) {
  asio::steady_timer pause{context};
  for (;;) {
    auto [error, socket] = co_await acceptor.async_accept(asio::as_tuple(asio::use_awaitable));
    if (error == asio::error::operation_aborted || !acceptor.is_open())
      co_return;
    if (!error) {
      auto peer = std::make_shared<handshake>(std::move(socket), state);
      asio::co_spawn(
          context, [peer] { return peer->run(); }, asio::detached);
    } else if (is_shortage(error)) {
      spdlog::warn("not accepting for {} ms: {}", accept_pause.count(), error.message());
      pause.expires_after(accept_pause);
      co_await pause.async_wait(asio::as_tuple(asio::use_awaitable));
    }
  }
}

front::front(caf::actor_system& system, front_options options)
    : home{&system}, impl_{std::make_unique<impl>(std::move(options))} {
  for (const auto& where : impl_->state.options.listen)
    impl_->listen(where);
  if (impl_->acceptors.empty())
    throw std::runtime_error{"no address to listen on"};
}

front::~front() {
  if (impl_->thread.joinable())
    stop();
}

std::vector<std::string> front::listening() const {
  std::vector<std::string> result;
  for (const auto& acceptor : impl_->acceptors)
    result.push_back(text_of(acceptor.local_endpoint()));
  return result;
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
    boost::system::error_code ignored;
    for (auto& acceptor : impl_->acceptors)
      acceptor.close(ignored);
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
  for (auto& acceptor : impl_->acceptors)
    asio::co_spawn(impl_->context, impl_->accept(acceptor), asio::detached);
}

} // namespace tandem::net
