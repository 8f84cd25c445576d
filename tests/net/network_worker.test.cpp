#include "net/network_worker.hpp"

#include "net/pinned.hpp"
#include "worker_thread.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <catch2/catch.hpp>

#include <algorithm>
#include <fcntl.h>
#include <functional>
#include <future>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <system_error>
#include <thread>
#include <vector>

using namespace tandem::net;
using namespace std::chrono_literals;

namespace {

using clock_type = std::chrono::steady_clock;

/// A socket that is ready from its begin on, and does what the test says.
class probe final : public socket_handler {
public:
  explicit probe(network_worker& owner)
      : socket_handler{owner}, fd_{::eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK)} {}
  ~probe() override { on_free(); }

  int fd() const noexcept override { return fd_.get(); }
  void on_ready(uint32_t events) override {
    uint64_t count = 0;
    [[maybe_unused]] auto ignored = ::read(fd_.get(), &count, sizeof count);
    ready(events);
  }
  void flush() override { flushed(); }
  bool check_deadline(clock_type::time_point now) override { return checked(now); }

  std::function<void(uint32_t)> ready = [](uint32_t) {};
  std::function<void()> flushed = [] {};
  std::function<bool(clock_type::time_point)> checked = [](clock_type::time_point) { return true; };
  std::function<void()> on_free = [] {};

private:
  unique_fd fd_;
};

/// Answers with the thread that it runs on.
class thread_teller final : public pinned<caf::event_based_actor> {
public:
  thread_teller(caf::actor_config& cfg, home& where, std::thread::id expected)
      : pinned{cfg, where}, expected_{expected} {}

  caf::behavior make_behavior() override {
    const auto began_here = std::this_thread::get_id() == expected_;
    return {[this, began_here](int) { return began_here && is_here(); }};
  }

private:
  bool is_here() const { return std::this_thread::get_id() == expected_; }

  std::thread::id expected_;
};

} // namespace

TEST_CASE("jobs of another thread run on the worker's own in their order") {
  worker_thread thread;
  const auto there = thread.run([] { return std::this_thread::get_id(); });
  CHECK(there != std::this_thread::get_id());

  std::vector<int> order;
  bool all_there = true;
  for (int i = 0; i < 1000; ++i)
    thread.post([&, i] {
      order.push_back(i);
      all_there = all_there && std::this_thread::get_id() == there;
    });
  thread.turn();
  CHECK(all_there);
  CHECK(order.size() == 1000);
  CHECK(std::ranges::is_sorted(order));
}

TEST_CASE("many threads may queue jobs at once") {
  worker_thread thread;
  int ran = 0;
  {
    std::vector<std::jthread> senders;
    senders.reserve(4);
    for (int i = 0; i < 4; ++i)
      senders.emplace_back([&] {
        for (int n = 0; n < 1000; ++n)
          thread.post([&ran] { ++ran; });
      });
  }
  thread.turn();
  CHECK(thread.run([&ran] { return ran; }) == 4000);
}

TEST_CASE("actors that are always busy leave the sockets their turn") {
  worker_thread thread;
  std::promise<uint32_t> was_ready;
  bool stop = false;
  for (int i = 0; i < 2; ++i)
    thread.worker().exec_later(
        new task{[&stop] { return stop ? caf::resumable::done : caf::resumable::resume_later; }});
  thread.post([&] {
    auto* socket = new probe{thread.worker()};
    socket->ready = [&](uint32_t events) {
      stop = true;
      was_ready.set_value(events);
    };
    thread.worker().add(*socket, EPOLLIN);
  });
  CHECK(await(was_ready.get_future(), "a socket") == EPOLLIN);
}

TEST_CASE("delayed calls come when they are due and in that order") {
  worker_thread thread;
  std::promise<void> last;
  std::vector<int> order;
  clock_type::time_point came;
  const auto start = clock_type::now();
  thread.run([&] {
    thread.worker().call_after(30ms, [&] {
      order.push_back(3);
      came = clock_type::now();
      last.set_value();
    });
    thread.worker().call_after(0ms, [&] { order.push_back(1); });
    thread.worker().call_after(15ms, [&] { order.push_back(2); });
  });
  await(last.get_future(), "the last call");
  CHECK(order == std::vector{1, 2, 3});
  CHECK(came - start >= 30ms);
}

TEST_CASE("a delayed call may ask for another") {
  worker_thread thread;
  std::promise<int> done;
  std::function<void(int)> again = [&](int n) {
    if (n == 5)
      done.set_value(n);
    else
      thread.worker().call_after(0ms, [&again, n] { again(n + 1); });
  };
  thread.run([&] { again(0); });
  CHECK(await(done.get_future(), "the last call") == 5);
}

TEST_CASE("a socket is flushed once a turn however often it asks") {
  worker_thread thread;
  int flushed = 0;
  auto* socket = new probe{thread.worker()};
  socket->flushed = [&] { ++flushed; };
  thread.run([&] {
    thread.worker().add(*socket, 0);
    for (int i = 0; i < 3; ++i)
      thread.worker().flush_later(*socket);
    CHECK(flushed == 0);
  });
  CHECK(thread.run([&] { return flushed; }) == 1);
  thread.run([&] { thread.worker().flush_later(*socket); });
  CHECK(thread.run([&] { return flushed; }) == 2);
}

TEST_CASE("a socket that asks for a flush and is removed isn't flushed") {
  worker_thread thread;
  bool freed = false;
  bool flushed = false;
  auto* socket = new probe{thread.worker()};
  socket->flushed = [&] { flushed = true; };
  socket->on_free = [&] { freed = true; };
  thread.run([&] {
    thread.worker().add(*socket, 0);
    thread.worker().flush_later(*socket);
    thread.worker().remove(*socket);
    // Not before the turn ends: whoever called may still be the socket itself.
    CHECK_FALSE(freed);
  });
  CHECK(thread.run([&] { return freed; }));
  CHECK_FALSE(flushed);
  CHECK(thread.worker().sockets() == 0);
}

TEST_CASE("a socket that another one removes hears nothing of the same batch") {
  worker_thread thread;
  int heard = 0;
  int freed = 0;
  thread.run([&] {
    auto* one = new probe{thread.worker()};
    auto* two = new probe{thread.worker()};
    auto end = [&](probe& other) {
      ++heard;
      thread.worker().remove(other);
    };
    one->ready = [=](uint32_t) { end(*two); };
    two->ready = [=](uint32_t) { end(*one); };
    one->on_free = two->on_free = [&] { ++freed; };
    thread.worker().add(*one, EPOLLIN);
    thread.worker().add(*two, EPOLLIN);
  });
  thread.turn();
  CHECK(heard == 1);
  CHECK(thread.run([&] { return freed; }) == 1);
  CHECK(thread.worker().sockets() == 1);
}

TEST_CASE("sockets come and go in any order") {
  worker_thread thread;
  int ready = 0;
  thread.run([&] {
    std::vector<probe*> sockets(300);
    for (auto*& x : sockets) {
      x = new probe{thread.worker()};
      x->ready = [&](uint32_t) { ++ready; };
      thread.worker().add(*x, EPOLLIN);
    }
    for (size_t i = 0; i < sockets.size(); i += 3)
      thread.worker().remove(*sockets[i]);
  });
  thread.turn();
  CHECK(thread.worker().sockets() == 200);
  CHECK(ready == 200);
}

TEST_CASE("a descriptor that epoll doesn't take stays with its owner") {
  // Of a regular file.
  class unfit final : public socket_handler {
  public:
    using socket_handler::socket_handler;
    int fd() const noexcept override { return fd_.get(); }
    void on_ready(uint32_t) override {}
    void flush() override {}
    bool check_deadline(clock_type::time_point) override { return false; }

  private:
    unique_fd fd_{::open(TANDEM_SOURCE_DIR "/CMakeLists.txt", O_RDONLY | O_CLOEXEC)};
  };
  worker_thread thread;
  {
    unfit handler{thread.worker()};
    thread.run([&] { CHECK_THROWS_AS(thread.worker().add(handler, EPOLLIN), std::system_error); });
    CHECK(thread.worker().sockets() == 1);
  }
  CHECK(thread.worker().sockets() == 0);
}

TEST_CASE("stopping frees the sockets that are left") {
  int freed = 0;
  worker_thread thread;
  thread.run([&] {
    for (int i = 0; i < 3; ++i) {
      auto* socket = new probe{thread.worker()};
      socket->on_free = [&] { ++freed; };
      thread.worker().add(*socket, 0);
      thread.worker().watch(*socket);
    }
  });
  thread.stop();
  CHECK(freed == 3);
}

TEST_CASE("a socket is checked until it says that it need not be") {
  worker_thread thread;
  std::promise<void> last;
  int briefly = 0;
  int longer = 0;
  thread.run([&] {
    auto* one = new probe{thread.worker()};
    one->checked = [&](auto) { return ++briefly < 2; };
    auto* two = new probe{thread.worker()};
    two->checked = [&](auto) {
      if (++longer == 4)
        last.set_value();
      return longer < 4;
    };
    for (auto* socket : {one, two}) {
      thread.worker().add(*socket, 0);
      thread.worker().watch(*socket);
      thread.worker().watch(*socket);
    }
  });
  await(last.get_future(), "the last check");
  thread.turn();
  CHECK(briefly == 2);
  CHECK(longer == 4);
}

TEST_CASE("a pinned actor runs on its home whoever sends to it") {
  worker_thread thread;
  const auto there = thread.run([] { return std::this_thread::get_id(); });
  caf::scoped_actor self{thread.system()};
  auto teller = thread.system().spawn<thread_teller>(thread.worker(), there);
  int answers = 0;
  for (int i = 0; i < 100; ++i)
    self->request(teller, patience, i)
        .receive([&](bool was_there) { answers += was_there; },
                 [](const caf::error& error) { FAIL(caf::to_string(error)); });
  CHECK(answers == 100);
  self->send_exit(teller, caf::exit_reason::user_shutdown);
  self->wait_for(teller);
}

// -- a test for each bug ------------------------------------------------------

TEST_CASE("sockets that come and go are not watched the more often for it") {
  // Each socket that was watched while no other one was began a series of checks of its own.
  worker_thread thread;
  std::promise<std::vector<clock_type::time_point>> checks;
  thread.run([&] {
    auto& worker = thread.worker();
    for (int i = 0; i < 3; ++i) {
      auto* socket = new probe{thread.worker()};
      worker.add(*socket, 0);
      worker.watch(*socket);
      worker.remove(*socket);
    }
    auto* stays = new probe{thread.worker()};
    stays->checked = [&, times = std::vector<clock_type::time_point>{}](auto now) mutable {
      times.push_back(now);
      if (times.size() == 3)
        checks.set_value(times);
      return times.size() < 3;
    };
    worker.add(*stays, 0);
    worker.watch(*stays);
  });
  const auto times = await(checks.get_future(), "three checks");
  CHECK(times[1] - times[0] >= 50ms);
  CHECK(times[2] - times[1] >= 50ms);
  thread.stop();
}
