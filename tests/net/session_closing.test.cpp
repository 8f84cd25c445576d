// How sessions end.
#include "net/session.hpp"
#include "session_fixture.hpp"

#include <catch2/catch.hpp>

#include <future>
#include <string>
#include <string_view>
#include <vector>

using namespace tandem;
using namespace tandem::net;
using namespace std::chrono_literals;
using wire::close_payload;
using wire::from_client;

namespace {

const wire::message hello{wire::text, "Hello"};
const std::string hello_sent = from_client(wire::text, "Hello");

/// Queues `size` bytes for a peer that isn't reading.
void send_backlog(session_test& test, size_t size) {
  test.run([=](auto& x) {
    for (size_t n = 0; n < size; n += 10'000)
      CHECK(x.send(data_chunk({wire::binary, std::string(10'000, 'b')})) == send_status::queued);
  });
}

/// The bytes of payload ahead of the close frame, which has to be the last that comes.
size_t read_backlog(session_test& test, uint16_t code) {
  size_t size = 0;
  for (;;) {
    auto x = test.other().receive();
    REQUIRE(x);
    if (x->opcode == wire::close) {
      CHECK(x->payload.substr(0, 2) == close_payload(code));
      return size;
    }
    size += x->payload.size();
  }
}

} // namespace

// -- the peer closes ----------------------------------------------------------

TEST_CASE("a close frame is answered and its code and reason reach the owner") {
  const auto payload = GENERATE(as<std::string>{}, close_payload(1000), close_payload(4321, "bye"),
                                close_payload(3000, std::string(123, 'r')));
  session_test test;
  test.start();
  test.other().send(hello_sent + from_client(wire::close, payload) + hello_sent);
  const auto how = test.await_end();
  CHECK(how.reason == end_reason::closed_by_peer);
  CHECK(how.code == wire::read_big_endian(payload.substr(0, 2)));
  CHECK(how.text == payload.substr(2));
  CHECK(test.messages(1) == std::vector{hello});

  const auto answer = test.other().receive();
  REQUIRE(answer);
  CHECK(answer->opcode == wire::close);
  CHECK(answer->payload == payload);
  test.release();
  CHECK_FALSE(test.other().receive());
  test.wait_until_freed();
}

TEST_CASE("a close frame without a code is answered without one") {
  session_test test;
  test.start();
  test.other().send(from_client(wire::close));
  const auto how = test.await_end();
  CHECK(how.reason == end_reason::closed_by_peer);
  CHECK(how.code == 0);
  CHECK(test.other().receive()->payload.empty());
}

TEST_CASE("pings ahead of a close frame are answered ahead of it") {
  session_test test;
  test.start();
  test.other().send(from_client(wire::ping, "1") + from_client(wire::close));
  CHECK(test.other().receive()->opcode == wire::pong);
  CHECK(test.other().receive()->opcode == wire::close);
}

TEST_CASE("what waits for a peer that closes is sent ahead of the answer") {
  session_test test;
  test.start();
  send_backlog(test, 2'000'000);
  test.other().send(from_client(wire::close, close_payload(1001)));
  test.await_end();
  test.release();
  CHECK(read_backlog(test, 1001) == 2'000'000);
  CHECK_FALSE(test.other().receive());
  test.wait_until_freed();
}

// -- the peer is at fault -----------------------------------------------------

TEST_CASE("a peer at fault is told so and what came before it is delivered") {
  struct row {
    std::string bad;
    end_reason reason;
    uint16_t code;
  };
  const auto x = GENERATE(
      row{wire::from_server(wire::text, "unmasked"), end_reason::protocol_error, 1002},
      row{from_client(wire::text, "\xFF"), end_reason::invalid_utf8, 1007},
      row{from_client(wire::text, std::string(101, 'x')), end_reason::too_big, 1009},
      row{from_client(wire::close, close_payload(1005)), end_reason::protocol_error, 1002});
  session_test test{{.limits = {.decoder = {.max_message = 100}}}};
  test.start();
  test.other().send(hello_sent + x.bad);
  const auto how = test.await_end();
  CHECK(how.reason == x.reason);
  CHECK(how.code == x.code);
  CHECK(test.messages(1) == std::vector{hello});

  const auto close = test.other().receive();
  REQUIRE(close);
  CHECK(close->opcode == wire::close);
  CHECK(close->payload == close_payload(x.code, how.text));
  CHECK_FALSE(test.other().receive());
  // A socket that is closed on unread bytes is reset, and the peer might not get to know why.
  test.release();
  test.turn();
  CHECK(test.sockets() == 1);
  test.other().hang_up();
  test.wait_until_freed();
}

// -- the peer goes ------------------------------------------------------------

TEST_CASE("a peer that hangs up has vanished") {
  session_test test;
  test.start();
  test.other().send(hello_sent + hello_sent.substr(0, 5));
  test.other().hang_up();
  CHECK(test.await_end().reason == end_reason::vanished);
  CHECK(test.messages(1) == std::vector{hello});
  test.release();
  test.wait_until_freed();
}

TEST_CASE("the owner hears of a peer that hangs up while it isn't read") {
  session_test test;
  test.start(0);
  test.other().send(hello_sent);
  test.other().hang_up();
  test.wait_until([](const told& x) { return x.hangups > 0; }, "the hang-up");
  CHECK(test.heard([](const told& x) { return !x.end && x.forwarded.messages().empty(); }));
  test.run([](auto& x) { x.allow(1000); });
  CHECK(test.messages(1) == std::vector{hello});
  CHECK(test.await_end().reason == end_reason::vanished);
}

TEST_CASE("a peer that hangs up with bytes that wait for it has vanished") {
  session_test test;
  test.start();
  send_backlog(test, 2'000'000);
  test.turn();
  test.other().hang_up();
  CHECK(test.await_end().reason == end_reason::vanished);
}

// -- the owner closes ---------------------------------------------------------

TEST_CASE("the owner's close follows what is queued and waits for the answer") {
  session_test test;
  test.start();
  test.run([](auto& x) {
    CHECK(x.send(data_chunk(hello)) == send_status::queued);
    x.close(ending::by(end_reason::replaced));
    CHECK(x.send(data_chunk(hello)) == send_status::ended);
    x.ping();
  });
  CHECK(test.other().receive()->payload == "Hello");
  const auto close = test.other().receive();
  REQUIRE(close);
  CHECK(close->opcode == wire::close);
  CHECK(close->payload == close_payload(4000, std::string{describe(end_reason::replaced).text}));
  test.release();
  test.other().send(hello_sent + from_client(wire::ping));
  test.turn();
  CHECK(test.sockets() == 1);
  test.other().send(from_client(wire::close, close_payload(4000)));
  CHECK_FALSE(test.other().receive());
  test.wait_until_freed();
  CHECK(test.heard([](const told& x) { return !x.end && x.forwarded.messages().empty(); }));
}

TEST_CASE("an owner that goes without a close is a fault of the broker") {
  session_test test;
  test.start();
  test.release();
  const auto close = test.other().receive();
  REQUIRE(close);
  CHECK(close->payload.substr(0, 2) == close_payload(1011));
}

TEST_CASE("a session that never started closes its socket") {
  session_test test;
  CHECK(test.sockets() == 1);
  test.release();
  CHECK(test.sockets() == 0);
  CHECK_FALSE(test.other().receive());
}

// -- deadlines ----------------------------------------------------------------

TEST_CASE("a peer that doesn't answer a close is dropped after the close timeout") {
  session_test test{{.limits = {.decoder = {}, .close_timeout = 1ms}}};
  test.start();
  test.run([](auto& x) { x.close(ending::by(end_reason::shutting_down)); });
  test.release();
  CHECK(test.other().receive()->opcode == wire::close);
  CHECK_FALSE(test.other().receive());
  test.wait_until_freed();
}

TEST_CASE("a peer at fault that stays is dropped after the close timeout") {
  session_test test{{.limits = {.decoder = {}, .close_timeout = 1ms}}};
  test.start();
  test.other().send("not a frame at all");
  CHECK(test.await_end().reason == end_reason::protocol_error);
  test.release();
  CHECK(test.other().receive()->opcode == wire::close);
  CHECK_FALSE(test.other().receive());
  test.wait_until_freed();
}

TEST_CASE("a peer that stands still is told so should it come back") {
  session_test test{{.limits = {.decoder = {}, .stall_timeout = 200ms}}};
  test.start();
  send_backlog(test, 2'000'000);
  const auto how = test.await_end();
  CHECK(how.reason == end_reason::stalled);
  // The chunk that has begun to leave is whole; those behind it are gone.
  CHECK(read_backlog(test, 4101) < 1'000'000);
  CHECK_FALSE(test.other().receive());
}

TEST_CASE("a peer that stands still while its session closes is dropped") {
  session_test test{{.limits = {.decoder = {}, .close_timeout = 1ms, .stall_timeout = 1ms}}};
  test.start();
  send_backlog(test, 2'000'000);
  test.run([](auto& x) { x.close(ending::by(end_reason::shutting_down)); });
  test.release();
  test.wait_until_freed();
}

TEST_CASE("a peer that has yet to read what is queued has the stall timeout for it") {
  session_test test{{.limits = {.decoder = {}, .close_timeout = 1ms, .stall_timeout = 1h}}};
  test.start();
  send_backlog(test, 2'000'000);
  test.run([](auto& x) { x.close(ending::by(end_reason::shutting_down)); });
  test.release();
  // Several checks of the deadline pass ahead of the first read.
  std::promise<void> later;
  test.thread().run([&] { test.thread().worker().call_after(350ms, [&] { later.set_value(); }); });
  await(later.get_future(), "a delayed call");
  CHECK(read_backlog(test, 1001) == 2'000'000);
  CHECK_FALSE(test.other().receive());
}

// -- a test for each bug ------------------------------------------------------

TEST_CASE("a ping ahead of a fault is not answered behind our close frame") {
  // The pong came upon a socket that was shut, and its failure cut short the wait for the peer.
  session_test test;
  test.start();
  test.run([](auto& x) { x.close(ending::by(end_reason::replaced)); });
  test.release();
  CHECK(test.other().receive()->opcode == wire::close);
  test.other().send(from_client(wire::ping) + wire::from_server(wire::text, "unmasked"));
  CHECK_FALSE(test.other().receive());
  test.turn();
  test.turn();
  CHECK(test.sockets() == 1);
  test.other().hang_up();
  test.wait_until_freed();
}

TEST_CASE("a peer that pings and hangs up without having read has vanished") {
  session_test test;
  // More than one read's worth of pings will wait, and each read's pongs are enough to stop it.
  test.start(20'000);
  std::string burst;
  for (int i = 0; i < 100; ++i)
    burst += from_client(wire::ping, std::string(125, 'p'));
  size_t sent = 0;
  for (bool progress = true; progress; test.turn()) {
    progress = false;
    while (auto n = test.other().send_some(std::string_view{burst}.substr(sent % burst.size()))) {
      sent += n;
      progress = true;
      REQUIRE(sent < 64 << 20);
    }
  }
  // Its last pings are still to be read, and can't be answered any more.
  test.other().hang_up();
  CHECK(test.await_end().reason == end_reason::vanished);
  test.release();
  test.wait_until_freed();
}
