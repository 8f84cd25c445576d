#include "net/front.hpp"

#include "net/handshake.hpp"
#include "net/listener.hpp"
#include "net/memory.hpp"
#include "net/scheduler.hpp"
#include "net/tide.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <caf/actor_system.hpp>
#include <caf/detail/set_thread_name.hpp>
#include <caf/resumable.hpp>
#include <spdlog/spdlog.h>

#include <atomic>
#include <stdexcept>
#include <sys/eventfd.h>
#include <thread>
#include <unistd.h>
#include <utility>

namespace tandem::net {

namespace asio = boost::asio;

namespace {

/// Messages that an actor of the front may handle before a handshake has its turn.
constexpr size_t max_throughput = 64;

/// How often it looks whether a crowd has gone, as long as anybody is there.
constexpr std::chrono::milliseconds watch_interval{1000};

/// When it looks how much it has got back.
constexpr std::chrono::milliseconds give_back_time{50};

/// How many of Asio's records of descriptors are made at a time, and how many are spare.
constexpr size_t row_of_records = 256;
constexpr size_t spare_records = 32;

/// About what a handshake or a connection takes, in bytes.
constexpr uint64_t peer_cost = 4 << 10;

} // namespace

struct front::impl {
  impl(front_options wanted, scheduler& all) : state{std::move(wanted)}, workers{all} {}

  void listen(const listen_address& where);
  void serve(stream_socket socket, const listen_address& where);
  void make_records();
  uint64_t peers() const;
  void watch_memory(std::chrono::milliseconds delay);

  /// Outlives the context, which takes handshakes that aren't done with it.
  front_state state;
  scheduler& workers;
  asio::io_context context{1};
  asio::executor_work_guard<asio::io_context::executor_type> work{context.get_executor()};
  std::vector<std::unique_ptr<listener>> listeners;
  tide memory;
  asio::steady_timer next_watch{context};
  bool watching = false;
  /// Descriptors that Asio has records for.
  size_t records = 0;
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

void front::impl::serve(stream_socket socket, const listen_address& where) {
  auto peer = std::make_shared<handshake>(std::move(socket), where, state);
  asio::co_spawn(
      context, [peer] { return peer->run(); }, asio::detached);
  if (state.under_way + spare_records > records)
    make_records();
  memory.rise(peers() * peer_cost);
  if (!std::exchange(watching, true))
    watch_memory(watch_interval);
}

/// Asio keeps a record of a descriptor for the next one, for ever. Made one by one, each would lie
/// among what its handshake takes, and none of those pages could be given back to the kernel. So
/// they are made in rows, ahead of need.
void front::impl::make_records() {
  // If descriptors run out, that has to do.
  records = state.under_way + row_of_records;
  std::vector<asio::posix::stream_descriptor> row;
  row.reserve(row_of_records);
  boost::system::error_code error;
  while (row.size() < row_of_records && !error) {
    const auto fd = ::eventfd(0, EFD_CLOEXEC);
    if (fd < 0)
      return;
    if (row.emplace_back(context).assign(fd, error); error)
      ::close(fd);
  }
}

uint64_t front::impl::peers() const {
  return state.under_way + state.door->inside();
}

/// Gives memory back to the kernel once a crowd has gone. The allocator would keep most of it: what
/// is still in use lies between what was freed.
void front::impl::watch_memory(std::chrono::milliseconds delay) {
  next_watch.expires_after(delay);
  next_watch.async_wait([this](boost::system::error_code error) {
    if (error)
      return;
    const auto in_chunks = take_peak_of_buffered_bytes();
    const auto now = peers() == 0 ? 0 : peers() * peer_cost + in_chunks;
    const bool gone_out = memory.gone_out(now, resident_bytes());
    if (gone_out)
      give_back_memory(workers);
    watching = !memory.at_rest();
    if (watching)
      watch_memory(gone_out ? give_back_time : watch_interval);
  });
}

front::front(caf::actor_system& system, front_options options)
    : home{&system}, impl_{std::make_unique<impl>(std::move(options), scheduler::of(system))} {
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
    result.push_back((listener->where().tls ? "wss://" : "") + listener->name());
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

void front::use(std::shared_ptr<const tls_context> tls) {
  asio::post(impl_->context, [this, tls = std::move(tls)] { impl_->state.options.tls = tls; });
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
      impl_->serve(std::move(socket), where);
    };
    asio::co_spawn(impl_->context, listener->accept(serve), asio::detached);
  }
}

} // namespace tandem::net
