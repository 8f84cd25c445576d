// A session that sends faster than it may.
#include "net/session.hpp"
#include "session_fixture.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <vector>

using namespace tandem;
using namespace tandem::net;
using namespace std::chrono_literals;
using wire::from_client;

namespace {

const wire::message hello{wire::text, "Hello"};

std::string hellos(size_t n) {
  std::string out;
  while (n-- > 0)
    out += from_client(wire::text, "Hello");
  return out;
}

size_t heard(session_test& test) {
  return test.heard([](const told& x) { return x.forwarded.messages().size(); });
}

} // namespace

TEST_CASE("one that sends too many messages isn't read for a while, and nothing is lost") {
  // After ten messages the next comes in an hour, which no test waits for.
  session_test test{{.limits = {.rates = {{1, 10s}, {}}}}};
  test.start();
  test.other().send(hellos(9));
  test.messages(9);
  CHECK_FALSE(test.run([](auto& x) { return x.paused(); }));
  test.other().send(hellos(5));
  test.messages(14);
  CHECK(test.run([](auto& x) { return x.paused(); }));
  test.other().send(hellos(5));
  test.turn();
  CHECK(heard(test) == 14);
}

TEST_CASE("one that sent too fast is read again when its time has come") {
  session_test test{{.limits = {.rates = {{}, {10'000, 10ms}}}}};
  test.start();
  const auto began = std::chrono::steady_clock::now();
  test.other().send(hellos(100));
  CHECK(test.messages(100) == std::vector<wire::message>(100, hello));
  test.other().send(hellos(400));
  test.messages(500);
  // 5,500 bytes at ten a millisecond, less the burst and what is read last.
  CHECK(std::chrono::steady_clock::now() - began >= 200ms);
}

TEST_CASE("bytes right behind the handshake count too") {
  session_test test{{.limits = {.rates = {{1, 10s}, {}}}, .early = hellos(30)}};
  test.start();
  CHECK(heard(test) == 30);
  CHECK(test.run([](auto& x) { return x.paused(); }));
}

TEST_CASE("a session may end while it isn't read, and before it would be again") {
  session_test test{{.limits = {.close_timeout = 100ms, .rates = {{100, 1ms}, {}}}}};
  test.start();
  test.other().send(hellos(20));
  test.messages(20);
  test.run([](auto& x) { x.close(ending::by(end_reason::shutting_down)); });
  test.release();
  test.other().hang_up();
  test.wait_until_freed();
  // Its timer, which comes first, leads to nothing: a sanitizer would see it touch the session.
  std::promise<void> later;
  test.thread().run([&] { test.thread().worker().call_after(300ms, [&] { later.set_value(); }); });
  await(later.get_future(), "a later timer");
}

TEST_CASE("a session keeps its place until it is gone") {
  auto door = std::make_shared<turnstile>(turnstile_limits{}, std::vector<size_t>{0});
  turnstile::place place;
  CHECK_FALSE(door->enter(0, std::nullopt, place));
  worker_thread thread;
  int fds[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) == 0);
  const session_limits limits;
  auto link = session::make(thread.worker(), transport{unique_fd{fds[0]}}, {}, limits, {},
                            std::move(place));
  unique_fd other{fds[1]};
  CHECK(door->inside() == 1);
  link.reset();
  CHECK(door->inside() == 0);
}
