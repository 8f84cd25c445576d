// How a connection ends while some of its messages are still to be recoded.
#include "actors/connection.hpp"
#include "support/recoding_stage.hpp"

#include <random>

using namespace tandem;
using namespace tandem::test;

TEST_CASE("the peer learns of the end behind all that is still to be recoded",
          "[connection][deflate]") {
  recoding_stage s;
  const std::string text(50'000, 'x');
  s.receive_compressed(text);
  const bool by_broker = GENERATE(false, true);
  if (by_broker)
    s.tell(s.pairing, atom::end::value, end_reason::replaced);
  else
    s.end_link({end_reason::closed_by_peer, 3001, "bye"});
  CHECK(s.link.closed.has_value() == by_broker);
  CHECK_FALSE(s.died);
  s.take_all();
  CHECK(s.seen.messages == plain({text}));
  auto [id, how] = s.peer.take<atom::peer_end, uint64_t, ending>();
  CHECK(id == own_id);
  CHECK(how.reason == (by_broker ? end_reason::replaced : end_reason::closed_by_peer));
  CHECK_FALSE(how.cut);
  REQUIRE(s.died);
  CHECK(s.died->reason == how.reason);
  CHECK(s.link.released);
}

TEST_CASE("a connection whose end waits takes no more, and says so", "[connection][deflate]") {
  recoding_stage s;
  // Some of the peer's left, some didn't.
  s.tell(s.peer, atom::forward::value, chunk_that_costs(700));
  s.drain(300);
  s.receive_compressed(std::string(50'000, 'x'));
  s.end_link(ending::by(end_reason::vanished));
  s.take_forwarded();
  CHECK(s.peer.take<atom::credit, uint64_t>() == 700);
  s.tell(s.peer, atom::forward::value, chunk_that_costs(123));
  CHECK(s.peer.take<atom::credit, uint64_t>() == 123);
  CHECK(s.link.sent.size() == 1);
  // What the broker would have of it doesn't matter any more.
  s.tell(s.pairing, atom::end::value, end_reason::replaced);
  s.tell(s.heartbeat, atom::ping::value);
  s.tell(s.heartbeat, atom::check::value);
  CHECK_FALSE(s.died);
  CHECK(s.link.pings == 0);
}

TEST_CASE("a connection whose end waits has nothing to wait for without its peer",
          "[connection][deflate]") {
  const bool waits_for_next = GENERATE(false, true);
  recoding_stage s{full, off, waits_for_next};
  s.receive_compressed(std::string(50'000, 'x'));
  s.end_link({end_reason::closed_by_peer, 1000, "bye"});
  CHECK_FALSE(s.died);
  s.tell(s.peer, atom::peer_end::value, uint64_t{8}, ending::by(end_reason::stalled));
  REQUIRE(s.died);
  CHECK(s.died->reason == end_reason::closed_by_peer);
}

TEST_CASE("two connections that end at once don't wait for each other", "[connection][deflate]") {
  // Each has more to recode than the other's credit allows.
  world w;
  probe pairing{w};
  probe heartbeat{w};
  directory::publish(w.system(), {pairing.as<pairing_actor>()});
  directory::publish(w.system(), 0, heartbeat.as<heartbeat_actor>());
  auto options = std::make_shared<const connection_options>(
      connection_options{window, pending, false, {.piece = 500}});
  fake_link* links[] = {&w.make_link(), &w.make_link()};
  connection_actor ends[2];
  // Neither can read the other: both send with 15 bits and take 10.
  const net::deflate_params narrow{true, 15, 10, true, true};
  for (uint64_t i = 0; i < 2; ++i)
    ends[i] = w.system().spawn<connection>(
        std::ref(w.home()), net::link_ptr{links[i]},
        peer_info{i + 1, i == 0 ? role::client : role::worker, "key", "remote", narrow}, options);
  w.settle();
  for (uint64_t i = 0; i < 2; ++i)
    pairing.send(ends[i], atom::bind::value,
                 peer_ref{share({2 - i, role::client, "key", "remote", narrow}), ends[1 - i]});
  w.settle();
  std::minstd_rand random{1};
  for (auto* link : links) {
    std::string noise(100'000, '\0');
    for (auto& c : noise)
      c = static_cast<char>(random() % 256);
    wire::message_deflater compress;
    link->receive(chunk_of(net::frame_of({wire::binary, true, compress(noise)})));
  }
  w.settle();
  for (auto* link : links)
    CHECK(link->open());
  for (auto* link : links)
    link->end(ending::by(end_reason::vanished));
  w.settle();
  for (auto* link : links)
    CHECK(link->released);
}

TEST_CASE("a message that is at fault ends its sender, behind those before it",
          "[connection][deflate]") {
  struct fault {
    std::string payload;
    end_reason reason;
    uint16_t code;
  };
  wire::message_deflater compress{15, false};
  const std::vector<fault> faults{
      {compress(std::string(5001, 'x')), end_reason::too_big, 1009},
      {compress("\xFF"), end_reason::invalid_utf8, 1007},
      {"\xFF\xFF", end_reason::invalid_deflate, 1007},
  };
  const auto& x = faults[GENERATE(range(0U, 3U))];
  recoding_stage s{{true, 15, 15, false, true}, off, false, 5000};
  s.receive(net::frame_of({wire::binary, true, compress("before")}));
  s.receive(net::frame_of({wire::text, true, x.payload}));
  s.take_all();
  REQUIRE(s.link.closed);
  CHECK(s.link.closed->code == x.code);
  CHECK(s.seen.messages == plain({"before"}));
  auto [id, how] = s.peer.take<atom::peer_end, uint64_t, ending>();
  CHECK(how.reason == x.reason);
  CHECK(how.cut == s.seen.inside);
  REQUIRE(s.died);
  CHECK(s.died->reason == x.reason);
}

TEST_CASE("a fault may come to light after the end", "[connection][deflate]") {
  recoding_stage s;
  s.receive(net::frame_of({wire::text, true, s.compress(std::string(50'000, 'x') + "\xFF")}));
  s.end_link({end_reason::closed_by_peer, 1000, ""});
  CHECK_FALSE(s.died);
  s.take_forwarded();
  s.peer.forget();
  for (int i = 0; i < 200 && !s.died; ++i) {
    s.credit(window / 2);
    s.take_forwarded();
  }
  auto [id, how] = s.peer.take<atom::peer_end, uint64_t, ending>();
  CHECK(how.reason == end_reason::invalid_utf8);
  CHECK(how.cut);
}

TEST_CASE("half a message is cut where some of it was forwarded", "[connection][deflate]") {
  const bool forwarded = GENERATE(false, true);
  recoding_stage s{forwarded ? full : off, forwarded ? off : full};
  s.link.inside = true;
  const std::string text(300, 'x');
  if (forwarded)
    s.receive(wire::encode(
        {.opcode = wire::text, .payload = s.compress(text), .fin = false, .reserved = net::rsv1}));
  else
    s.receive(wire::from_server(wire::text, text, false));
  s.take_forwarded();
  CHECK(s.seen.inside == forwarded);
  s.end_link(ending::by(end_reason::vanished));
  auto [id, how] = s.peer.take<atom::peer_end, uint64_t, ending>();
  CHECK(how.cut == forwarded);
}

TEST_CASE("a connection that loses its peer in the middle of recoding waits for the next",
          "[connection][deflate]") {
  recoding_stage s{{true, 15, 15, false, false}, off, true};
  s.receive_compressed(std::string(50'000, 'x'));
  s.tell(s.peer, atom::peer_end::value, uint64_t{8}, ending::by(end_reason::vanished));
  CHECK_FALSE(s.died);
  CHECK(s.link.allowance == pending);
  probe next{s.w};
  s.bind(9, next);
  wire::message_deflater compress;
  s.receive(net::frame_of({wire::binary, true, compress("for the next")}));
  s.take_forwarded(next);
  CHECK(s.seen.messages == plain({"for the next"}));
}
