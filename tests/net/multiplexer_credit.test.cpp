#include "multiplexing.hpp"
#include "net/envelope.hpp"

using namespace tandem;
using namespace tandem::net;
using namespace tandem::test;

namespace {

std::string number(uint32_t x) {
  return wire::big_endian(x, 4);
}

/// The sum of the credits for one channel.
uint64_t credit_in(const std::vector<framed>& said, uint32_t channel) {
  uint64_t sum = 0;
  for (const auto& x : said)
    if (x.type == 5 && x.channel == channel)
      sum += wire::read_big_endian(x.payload);
  return sum;
}

} // namespace

// -- what the peer may send -----------------------------------------------------------------------

TEST_CASE("what a channel's owner allows is told in steps", "[multiplexer]") {
  hub_test t;
  auto& x = t.open();
  // 960 bytes of payload weigh 1000.
  t.receive({{3, 1, std::string(960, 'x')}});
  CHECK(t.turn().empty());
  x.link->allow_more(987);
  CHECK(t.turn().empty());
  x.link->allow_more(1);
  CHECK(credit_in(t.turn(), 1) == 1000);
  // Too little to tell.
  t.receive({{3, 1, std::string(500, 'x')}});
  x.link->allow_more(500);
  CHECK(t.turn().empty());
}

TEST_CASE("small messages weigh more for the peer than they take, and it learns of the difference",
          "[multiplexer]") {
  hub_test t;
  auto& x = t.open();
  int64_t may_send = channel_window;
  for (int i = 0; i < 1000; ++i) {
    // It keeps to its credit, and its client takes nothing but now and then.
    REQUIRE(may_send > 0);
    t.receive({{2, 1, "x"}, {2, 1, "y"}});
    may_send -= 2 * (1 + envelope_weight);
    if (i % 25 == 24)
      x.link->allow_more(25 * (6 + sizeof(chunk_block)));
    may_send += static_cast<int64_t>(credit_in(t.turn(), 1));
  }
  CHECK(t.session.allowance > 0);
}

TEST_CASE("one who sends more than it may is read no further", "[multiplexer]") {
  hub_test t;
  auto& x = t.open();
  auto& other = t.open();
  // One message may go below zero.
  t.receive({{3, 1, std::string(channel_window * 2, 'x')}});
  CHECK(t.session.allowance > 0);
  // The next one may not even begin; but it isn't lost.
  t.receive({{3, 1, "beyond"}, {3, 2, "fine"}});
  CHECK(x.owner.messages().size() == 2);
  CHECK(other.owner.messages().size() == 1);
  CHECK(t.session.allowance <= 0);
  x.link->allow_more(channel_window);
  CHECK(t.session.allowance <= 0);
  x.link->allow_more(2 * channel_window);
  CHECK(t.session.allowance > 0);
  CHECK(credit_in(t.turn(), 1) > 0);
}

TEST_CASE("a channel that ends no longer holds up the others", "[multiplexer]") {
  hub_test t;
  auto& x = t.open();
  t.receive({{3, 1, std::string(channel_window * 2, 'x')}, {3, 1, "beyond"}});
  REQUIRE(t.session.allowance <= 0);
  x.link->close(ending::by(end_reason::peer_closed));
  x.link.reset();
  t.turn();
  CHECK(t.session.allowance > 0);
}

TEST_CASE("a worker that hangs up unread is read to its end", "[multiplexer]") {
  hub_test t;
  t.open();
  t.receive({{3, 1, std::string(channel_window * 2, 'x')}, {3, 1, "beyond"}});
  REQUIRE(t.session.allowance <= 0);
  t.session.hang_up();
  CHECK(t.session.allowance > 0);
}

TEST_CASE("what is allowed before the peer knows the channel is told with it", "[multiplexer]") {
  hub_test t;
  t.turn();
  auto& x = t.add(1000);
  t.bind(x);
  x.link->allow(channel_window);
  auto said = t.turn();
  REQUIRE(said.size() == 1);
  CHECK(said[0].payload.find("\"credit\":4000") != std::string::npos);
}

// -- what the peer may be sent --------------------------------------------------------------------

TEST_CASE("no message begins without the peer's credit", "[multiplexer]") {
  hub_test t{{.credit = 1000, .slots = 10}};
  auto& one = t.open();
  auto& two = t.open();
  for (int i = 0; i < 3; ++i) {
    CHECK(one.link->send(text_chunk(std::string(600, '1'))) == send_status::queued);
    CHECK(two.link->send(text_chunk("2")) == send_status::queued);
  }
  // Two of the first channel's: the second began with what was left.
  CHECK(t.turn().size() == 5);
  CHECK(one.owner.sent == 2 * text_chunk(std::string(600, '1')).cost());
  t.receive({{5, 1, number(280)}});
  CHECK(t.turn().empty());
  t.receive({{5, 1, number(1)}});
  CHECK(t.turn().size() == 1);
}

TEST_CASE("without credit of its own a peer is sent whatever TCP takes", "[multiplexer]") {
  hub_test t;
  auto& x = t.open();
  for (int i = 0; i < 100; ++i)
    CHECK(x.link->send(text_chunk(std::string(10'000, 'x'))) == send_status::queued);
  t.receive({{5, 1, number(1)}});
  CHECK(t.turn().size() == 100);
}

TEST_CASE("credit has no end", "[multiplexer]") {
  hub_test t{{.credit = UINT32_MAX, .slots = 10}};
  auto& x = t.open();
  for (int i = 0; i < 1000; ++i)
    t.receive({{5, 1, number(UINT32_MAX)}});
  CHECK(x.link->send(text_chunk("x")) == send_status::queued);
  CHECK(t.turn().size() == 1);
}
