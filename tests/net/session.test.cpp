// An open session: reading, back-pressure, writing, pings.
#include "net/session.hpp"

#include "session_fixture.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <string_view>
#include <vector>

using namespace tandem;
using namespace tandem::net;
using wire::from_client;

namespace {

const wire::message hello{wire::text, "Hello"};
const wire::message bytes{wire::binary, "\xFF\xFE"};

std::string sent_by_client(const wire::message& x) {
  return from_client(x.opcode, x.payload);
}

std::string repeat(std::string_view what, size_t times) {
  std::string out;
  while (times-- > 0)
    out += what;
  return out;
}

} // namespace

// -- reading ------------------------------------------------------------------

TEST_CASE("a session tells its owner of messages in their order") {
  session_test test;
  test.start();
  const auto sent = sent_by_client(hello) + sent_by_client(bytes);
  test.other().send(sent);
  CHECK(test.messages(2) == std::vector{hello, bytes});
  const auto stats = test.run([](auto& x) { return x.stats(); });
  CHECK(stats.messages_in == 2);
  CHECK(stats.bytes_in == sent.size());
  CHECK(stats.bytes_out == 0);
}

TEST_CASE("bytes that came right behind the handshake are read first") {
  const auto sent = sent_by_client(hello) + sent_by_client(bytes);
  const auto cut = GENERATE_COPY(range(size_t{1}, sent.size() + 1));
  session_test test{{.early = sent.substr(0, cut)}};
  test.start();
  if (cut < sent.size())
    test.other().send(sent.substr(cut));
  CHECK(test.messages(2) == std::vector{hello, bytes});
  CHECK(test.run([](auto& x) { return x.stats(); }).bytes_in == sent.size());
}

TEST_CASE("a session shows life when bytes arrive") {
  session_test test;
  test.start();
  const auto before = test.run([](auto& x) { return x.life(); });
  test.other().send(sent_by_client(hello));
  test.messages(1);
  CHECK(test.run([](auto& x) { return x.life(); }) != before);
}

TEST_CASE("a session knows whether what it forwarded ends inside a message") {
  session_test test;
  test.start();
  const auto inside = [](auto& x) { return x.inside_message(); };
  test.other().send(sent_by_client(hello) + from_client(wire::text, "begun", false));
  test.messages(1);
  CHECK(test.run(inside));
  test.other().send(from_client(wire::continuation, ""));
  test.messages(2);
  CHECK_FALSE(test.run(inside));
}

// -- back-pressure ------------------------------------------------------------

TEST_CASE("without an allowance nothing is read") {
  session_test test;
  test.start(0);
  CHECK(test.run([](auto& x) { return x.paused(); }));
  test.other().send(sent_by_client(hello));
  test.turn();
  CHECK(test.heard([](const told& x) { return x.forwarded.messages().empty(); }));
  CHECK(test.run([](auto& x) { return x.stats(); }).bytes_in == 0);
  test.run([](auto& x) { x.allow_more(1000); });
  CHECK(test.messages(1) == std::vector{hello});
}

TEST_CASE("an allowance is spent by cost and renewed by its owner") {
  session_test test;
  test.start(1000);
  test.other().send(sent_by_client({wire::binary, std::string(980, 'x')}));
  test.messages(1);
  const auto cost = test.heard([](const told& x) { return x.cost; });
  CHECK(cost >= 1000);
  CHECK(test.run([](auto& x) { return x.paused(); }));

  test.other().send(sent_by_client(hello));
  test.turn();
  CHECK(test.heard([](const told& x) { return x.forwarded.messages().size(); }) == 1);
  test.run([&](auto& x) { x.allow_more(cost - 1000); });
  test.turn();
  CHECK(test.heard([](const told& x) { return x.forwarded.messages().size(); }) == 1);
  test.run([](auto& x) { x.allow_more(100); });
  test.messages(2);
}

TEST_CASE("an allowance of less than a message is enough for its first pieces") {
  session_test test{{.limits = {.decoder = {.piece = 100}}}};
  test.start(1000);
  const wire::message large{wire::binary, std::string(5000, 'x')};
  test.other().send(sent_by_client(large));
  test.wait_until([](const told& x) { return x.cost >= 800; }, "the first pieces");
  test.turn();
  CHECK(test.heard([](const told& x) { return x.cost; }) < 1400);
  CHECK(test.heard([](const told& x) { return x.forwarded.messages().empty(); }));
  test.run([](auto& x) { x.allow_more(100'000); });
  CHECK((test.messages(1) == std::vector{large}));
}

TEST_CASE("a sender that isn't read is slowed down by its socket") {
  constexpr size_t length = 8 << 20;
  session_test test;
  test.start(100'000);
  const auto sent = sent_by_client({wire::binary, std::string(length, 'x')});
  std::string_view rest = sent;
  // A turn would have made room, were the socket still read.
  for (bool progress = true; progress; test.turn()) {
    progress = false;
    while (auto n = test.other().send_some(rest)) {
      rest.remove_prefix(n);
      progress = true;
    }
  }
  CHECK(rest.size() > length / 2);
  CHECK(test.run([](auto& x) { return x.paused(); }));
  CHECK(test.heard([](const told& x) { return x.cost; }) < 400'000);

  test.run([](auto& x) { x.allow(1 << 30); });
  test.other().send(rest);
  CHECK(test.messages(1)[0].payload.size() == length);
}

// -- writing ------------------------------------------------------------------

TEST_CASE("all that is sent in one turn leaves in one write") {
  session_test test{{.type = SOCK_SEQPACKET}};
  test.start();
  std::string expected;
  size_t cost = 0;
  test.run([&](auto& x) {
    for (int i = 0; i < 50; ++i) {
      const auto frames = data_chunk({wire::text, std::to_string(i)});
      expected += wire::to_text(frames.bytes());
      cost += frames.cost();
      CHECK(x.send(frames) == send_status::queued);
    }
  });
  CHECK(test.other().receive_some() == expected);
  CHECK(test.heard([](const told& x) { return x.sent; }) == cost);
  CHECK(test.run([](auto& x) { return x.stats(); }).bytes_out == expected.size());
}

TEST_CASE("what the kernel doesn't take waits and leaves in order") {
  constexpr size_t count = 300;
  session_test test;
  test.start();
  size_t cost = 0;
  test.run([&](auto& x) {
    for (size_t i = 0; i < count; ++i) {
      const auto frames = data_chunk({wire::binary, std::string(20'000, wire::octet(i))});
      cost += frames.cost();
      CHECK(x.send(frames) == send_status::queued);
    }
  });
  test.turn();
  const auto sent = test.heard([](const told& x) { return x.sent; });
  CHECK(sent > 0);
  CHECK(sent < cost);

  size_t right = 0;
  for (size_t i = 0; i < count; ++i) {
    const auto x = test.other().receive();
    REQUIRE(x);
    right += x->payload == std::string(20'000, wire::octet(i));
  }
  CHECK(right == count);
  test.wait_until([&](const told& x) { return x.sent == cost; }, "all to be taken");
}

TEST_CASE("a peer that makes room for bytes that waited shows life") {
  session_test test;
  test.start();
  test.run([](auto& x) {
    CHECK(x.send(data_chunk({wire::binary, std::string(4 << 20, 'x')})) == send_status::queued);
  });
  test.turn();
  const auto before = test.run([](auto& x) { return x.life(); });
  CHECK(test.other().receive());
  CHECK(test.run([](auto& x) { return x.life(); }) != before);
}

// -- pings --------------------------------------------------------------------

TEST_CASE("a ping goes ahead of data and its pong gives the round-trip time") {
  session_test test;
  test.start();
  test.run([](auto& x) {
    CHECK(x.send(data_chunk(hello)) == send_status::queued);
    x.ping();
  });
  const auto ping = test.other().receive();
  REQUIRE(ping);
  CHECK(ping->opcode == wire::ping);
  CHECK(test.other().receive()->payload == hello.payload);

  // A pong that answers no ping says nothing.
  test.other().send(from_client(wire::pong, "unasked") + sent_by_client(hello));
  test.messages(1);
  const auto rtt = [](auto& x) { return x.stats().rtt.count(); };
  CHECK(test.run(rtt) == 0);
  test.other().send(from_client(wire::pong, ping->payload) + sent_by_client(hello));
  test.messages(2);
  CHECK(test.run(rtt) > 0);
}

TEST_CASE("pings are answered in one write with what they carried") {
  session_test test{{.type = SOCK_SEQPACKET}};
  test.start();
  const std::string longest(125, 'p');
  test.other().send(from_client(wire::ping, "1") + sent_by_client(hello) +
                    from_client(wire::ping, "") + from_client(wire::ping, longest));
  CHECK(test.other().receive_some() == wire::from_server(wire::pong, "1") +
                                           wire::from_server(wire::pong, "") +
                                           wire::from_server(wire::pong, longest));
  CHECK(test.messages(1) == std::vector{hello});
}

TEST_CASE("a peer that pings but doesn't read isn't read either") {
  session_test test;
  test.start();
  const auto ping = from_client(wire::ping, std::string(125, 'p'));
  const auto burst = repeat(ping, 100);
  size_t sent = 0;
  for (bool progress = true; progress; test.turn()) {
    progress = false;
    while (auto n = test.other().send_some(std::string_view{burst}.substr(sent % burst.size()))) {
      sent += n;
      progress = true;
      REQUIRE(sent < 64 << 20);
    }
  }
  CHECK(test.run([](auto& x) { return x.paused(); }));

  // Once it reads, it gets a pong for each.
  const auto pings = (sent + ping.size() - 1) / ping.size();
  for (size_t i = 0; i + 1 < pings; ++i)
    REQUIRE(test.other().receive());
  test.other().send(std::string_view{ping}.substr(ping.size() - (pings * ping.size() - sent)));
  CHECK(test.other().receive()->opcode == wire::pong);
}
