/// A network worker that a test drives from its own thread.
#pragma once

#include "idle_config.hpp"
#include "net/network_worker.hpp"

#include <caf/actor_system.hpp>
#include <caf/ref_counted.hpp>
#include <caf/resumable.hpp>

#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

namespace tandem::net {

/// How long a test waits for what has to come. Only a failing test takes as long.
inline constexpr auto patience = std::chrono::seconds{20};

/// Calls a function once, as if it were an actor.
class task final : public caf::resumable, public caf::ref_counted {
public:
  explicit task(std::function<resume_result()> what) : what_{std::move(what)} {}

  subtype_t subtype() const override { return unspecified; }
  resume_result resume(caf::execution_unit*, size_t) override { return what_(); }
  void intrusive_ptr_add_ref_impl() override { ref(); }
  void intrusive_ptr_release_impl() override { deref(); }

private:
  std::function<resume_result()> what_;
};

/// Waits for `result` and says what was awaited if it doesn't come.
template <class T>
T await(std::future<T> result, const char* what) {
  if (result.wait_for(patience) != std::future_status::ready)
    throw std::runtime_error{std::string{"waited in vain for "} + what};
  return result.get();
}

/// A running worker. Its sockets are gone before anything that was made ahead of it.
class worker_thread {
public:
  worker_thread() { worker_.start(); }
  ~worker_thread() { stop(); }
  worker_thread(const worker_thread&) = delete;
  worker_thread& operator=(const worker_thread&) = delete;

  void stop() {
    if (std::exchange(runs_, false))
      worker_.stop();
  }

  caf::actor_system& system() { return system_; }
  network_worker& worker() { return worker_; }

  /// Queues `what` for the worker's thread.
  void post(std::function<void()> what) {
    worker_.exec_later(new task{[what = std::move(what)] {
      what();
      return caf::resumable::done;
    }});
  }

  /// Calls `what` on the worker's thread and waits for what it returns or throws.
  template <class F>
  auto run(F what) {
    using result = std::invoke_result_t<F>;
    auto job = std::make_shared<std::packaged_task<result()>>(std::move(what));
    auto got = job->get_future();
    post([job] { (*job)(); });
    return await(std::move(got), "the worker's thread");
  }

  /// Returns once every socket that was ready before the call has been looked at.
  void turn() {
    // The first ends in a turn whose sockets come behind it, the second in a later one.
    run([] {});
    run([] {});
  }

  /// Turns until `holds` does.
  template <class F>
  void turn_until(F holds, const char* what) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (!run(holds))
      if (std::chrono::steady_clock::now() > deadline)
        throw std::runtime_error{std::string{"waited in vain for "} + what};
  }

private:
  idle_config config_;
  caf::actor_system system_{config_};
  network_worker worker_{system_, 0, 64};
  bool runs_ = true;
};

} // namespace tandem::net
