#include "actors/connection.hpp"

#include "support/stage.hpp"

using namespace tandem;
using namespace tandem::test;

namespace {

using texts = std::vector<std::string>;

texts take_forwarded(probe& peer) {
  texts result;
  while (!peer.empty())
    result.push_back(text_of(peer.take<atom::forward, net::chunk>()));
  return result;
}

} // namespace

// -- coming ---------------------------------------------------------------------------------------

TEST_CASE("a connection makes itself known", "[connection]") {
  stage s;
  s.start();
  auto [id, side, handle] = s.heartbeat.take<atom::join, uint64_t, role, watched_actor>();
  CHECK(id == own_id);
  CHECK(side == role::client);
  CHECK(handle == s.subject);
  auto self = s.pairing.take<atom::join, member>();
  CHECK(self.who->id == own_id);
  CHECK(self.who->key == "key");
  CHECK(self.who->remote == "127.0.0.1:4711");
  CHECK(self.handle == s.subject);
  CHECK(self.peer == 0);
}

TEST_CASE("a connection that joins again says whom it is bound to", "[connection]") {
  bound_stage s;
  s.tell(s.heartbeat, atom::rejoin::value);
  CHECK(s.heartbeat.size() == 1);
  CHECK(s.pairing.take<atom::join, member>().peer == 8);
}

TEST_CASE("without a pairing a connection is turned away", "[connection]") {
  stage s;
  directory::clear(s.w.system(), 1);
  s.start();
  REQUIRE(s.link.closed);
  CHECK(s.link.closed->code == 1001);
  CHECK(s.died->reason == end_reason::shutting_down);
}

TEST_CASE("a link may end while it starts", "[connection]") {
  stage s;
  s.link.on_start = [&] {
    s.link.receive(chunk_of("last words"));
    s.link.end({end_reason::closed_by_peer, 1000, "done"});
  };
  s.start();
  // The pairing may have a peer for what it sent.
  s.pairing.take<atom::join, member>();
  CHECK(s.pairing.take<atom::leave, uint64_t>() == own_id);
  CHECK_FALSE(s.died);
  s.tell(s.pairing, atom::end::value, end_reason::vanished);
  CHECK(s.died->reason == end_reason::closed_by_peer);
  CHECK(s.link.released);
  // Whoever it joined learns of its end.
  CHECK(s.heartbeat.size() == 2);
  s.heartbeat.take<atom::join, uint64_t, role, watched_actor>();
  CHECK(s.heartbeat.take<atom::leave, uint64_t>() == own_id);
}

// -- forwarding -----------------------------------------------------------------------------------

TEST_CASE("what the peer forwards is sent", "[connection]") {
  bound_stage s;
  s.tell(s.peer, atom::forward::value, chunk_of("one"));
  s.tell(s.peer, atom::forward::value, chunk_of("two"));
  CHECK(texts_of(s.link.sent) == texts{"one", "two"});
}

// -- credit ---------------------------------------------------------------------------------------

TEST_CASE("before the bind a connection may send pending-bytes, then the window", "[connection]") {
  stage s;
  s.start();
  CHECK(s.link.allowance == pending);
  s.receive_cost(300);
  s.receive_cost(200);
  CHECK(s.link.allowance == pending - 500);
  s.bind(8, s.peer);
  CHECK(s.link.allowance == window - 500);
}

TEST_CASE("credit goes back to the peer in steps of a quarter window", "[connection]") {
  bound_stage s;
  s.tell(s.peer, atom::forward::value, chunk_that_costs(window));
  s.drain(window / 4 - 1);
  CHECK(s.peer.empty());
  s.drain(1);
  CHECK(s.peer.take<atom::credit, uint64_t>() == window / 4);
  s.drain(window / 8);
  CHECK(s.peer.empty());
  s.drain(window / 2);
  CHECK(s.peer.take<atom::credit, uint64_t>() == window / 8 + window / 2);
}

TEST_CASE("only the peer's credit counts", "[connection]") {
  bound_stage s;
  probe stranger{s.w};
  auto before = s.link.allowance;
  s.tell(stranger, atom::credit::value, uint64_t{500});
  CHECK(s.link.allowance == before);
  s.tell(s.peer, atom::credit::value, uint64_t{500});
  CHECK(s.link.allowance == before + 500);
}

TEST_CASE("a former peer's credit doesn't count any more", "[connection]") {
  bound_stage s{true};
  s.tell(s.peer, atom::peer_end::value, uint64_t{8}, ending::by(end_reason::vanished));
  CHECK(s.link.allowance == pending);
  s.tell(s.peer, atom::credit::value, uint64_t{500});
  CHECK(s.link.allowance == pending);
}

TEST_CASE("chunks of a former peer are nobody's credit", "[connection]") {
  bound_stage s{true};
  probe next{s.w};
  // Some of it left and isn't returned yet, some is still to leave.
  s.tell(s.peer, atom::forward::value, chunk_that_costs(2000));
  s.drain(900);
  s.tell(s.peer, atom::peer_end::value, uint64_t{8}, ending::by(end_reason::vanished));
  s.bind(9, next);
  s.tell(next, atom::forward::value, chunk_that_costs(1500));
  s.drain(1100 + 999);
  CHECK(next.empty());
  s.drain(1);
  CHECK(next.take<atom::credit, uint64_t>() == 1000);
  CHECK(s.peer.empty());
}

TEST_CASE("what a former peer's chunks leave between two peers isn't the next one's",
          "[connection]") {
  bound_stage s{true};
  probe next{s.w};
  s.tell(s.peer, atom::forward::value, chunk_that_costs(2000));
  s.tell(s.peer, atom::peer_end::value, uint64_t{8}, ending::by(end_reason::vanished));
  s.drain(1200);
  s.bind(9, next);
  s.drain(800);
  CHECK(next.empty());
  s.tell(next, atom::forward::value, chunk_that_costs(1000));
  s.drain(1000);
  CHECK(next.take<atom::credit, uint64_t>() == 1000);
}

TEST_CASE("a peer that hears of the pair first gets its credit back all the same", "[connection]") {
  stage s;
  s.start();
  // The pairing tells one side before the other, and their messages may overtake it.
  s.tell(s.peer, atom::forward::value, chunk_that_costs(window / 2));
  SECTION("when it leaves after the bind") {
    s.bind(8, s.peer);
    s.drain(window / 2);
  }
  SECTION("when it leaves before the bind") {
    s.drain(window / 2);
    s.bind(8, s.peer);
  }
  CHECK(s.peer.take<atom::credit, uint64_t>() == window / 2);
}

// -- the end --------------------------------------------------------------------------------------

TEST_CASE("the peer learns of the end after all chunks", "[connection]") {
  bound_stage s;
  s.link.receive(chunk_of("last"));
  s.link.inside = true;
  s.end_link({end_reason::closed_by_peer, 3001, "bye"});
  CHECK(text_of(s.peer.take<atom::forward, net::chunk>()) == "last");
  auto [id, how] = s.peer.take<atom::peer_end, uint64_t, ending>();
  CHECK(id == own_id);
  CHECK(fields(how) == fields(ending{end_reason::closed_by_peer, 3001, "bye", true}));
  CHECK(s.peer.empty());
  CHECK(s.link.released);
  CHECK_FALSE(s.link.closed);
}

TEST_CASE("the exit reason says how it ended", "[connection]") {
  bound_stage s;
  s.link.inside = GENERATE(false, true);
  s.end_link({end_reason::closed_by_peer, 3001, "bye"});
  REQUIRE(s.died);
  CHECK(fields(*s.died) == fields(ending{end_reason::closed_by_peer, 3001, "bye", s.link.inside}));
}

TEST_CASE("without a peer no message of anybody's is cut", "[connection]") {
  stage s;
  s.start();
  s.link.inside = true;
  s.end_link(ending::by(end_reason::vanished));
  REQUIRE(s.died);
  CHECK_FALSE(s.died->cut);
}

TEST_CASE("the peer's ending closes the connection by what it means", "[connection]") {
  const auto [how, code, text] = GENERATE(table<ending, uint16_t, std::string>({
      {{end_reason::closed_by_peer, 1000, ""}, 1000, ""},
      {{end_reason::closed_by_peer, 0, ""}, 0, ""},
      {{end_reason::closed_by_peer, 4321, "why not"}, 4321, "why not"},
      {{end_reason::peer_closed, 3000, "passed on"}, 3000, "passed on"},
      {ending::by(end_reason::shutting_down), 1001, "the broker is shutting down"},
      {ending::by(end_reason::vanished), 4200, "the peer was lost: vanished"},
      {ending::by(end_reason::protocol_error), 4200, "the peer was lost: protocol_error"},
      {ending::by(end_reason::too_big), 4200, "the peer was lost: too_big"},
      {ending::by(end_reason::heartbeat_missed), 4200, "the peer was lost: heartbeat_missed"},
      {ending::by(end_reason::broker_fault, "x"), 4200, "the peer was lost: broker_fault"},
  }));
  bound_stage s;
  s.tell(s.peer, atom::peer_end::value, uint64_t{8}, how);
  REQUIRE(s.link.closed);
  CHECK(s.link.closed->code == code);
  CHECK(s.link.closed->text == text);
  CHECK(s.died->code == code);
  // The one that has gone isn't told.
  CHECK(s.peer.empty());
}

TEST_CASE("the last chunks of the peer are sent before the close", "[connection]") {
  bound_stage s;
  s.peer.send(s.subject, atom::forward::value, chunk_of("one"));
  s.peer.send(s.subject, atom::forward::value, chunk_of("two"));
  s.tell(s.peer, atom::peer_end::value, uint64_t{8}, ending{end_reason::closed_by_peer, 1000, ""});
  CHECK(texts_of(s.link.sent) == texts{"one", "two"});
  CHECK(s.link.closed);
}

TEST_CASE("a connection that waits serves the next peer", "[connection]") {
  bound_stage s{true};
  s.tell(s.peer, atom::peer_end::value, uint64_t{8}, ending{end_reason::closed_by_peer, 1000, ""});
  CHECK_FALSE(s.link.closed);
  CHECK(s.link.allowance == pending);
  s.receive("meanwhile");
  probe next{s.w};
  s.bind(9, next);
  CHECK(take_forwarded(next) == texts{"meanwhile"});
  CHECK(s.peer.empty());
}

TEST_CASE("a connection whose peers come and go while it doesn't read is given up",
          "[connection]") {
  bound_stage s{true};
  s.tell(s.peer, atom::forward::value, chunk_that_costs(window));
  s.tell(s.peer, atom::peer_end::value, uint64_t{8}, ending::by(end_reason::vanished));
  CHECK_FALSE(s.link.closed);
  probe next{s.w};
  s.bind(9, next);
  s.tell(next, atom::forward::value, chunk_that_costs(100));
  s.tell(next, atom::peer_end::value, uint64_t{9}, ending::by(end_reason::vanished));
  REQUIRE(s.link.closed);
  CHECK(s.link.closed->reason == end_reason::stalled);
}

TEST_CASE("half a message from the peer closes even a connection that waits", "[connection]") {
  bound_stage s{true};
  auto how = ending::by(end_reason::vanished);
  how.cut = true;
  s.tell(s.peer, atom::peer_end::value, uint64_t{8}, how);
  REQUIRE(s.link.closed);
  CHECK(s.link.closed->code == 4200);
}

TEST_CASE("half a message to the peer closes even a connection that waits", "[connection]") {
  // The rest of it would be the next peer's protocol error.
  bound_stage s{true};
  s.receive("the first fragment");
  s.link.inside = true;
  s.tell(s.peer, atom::peer_end::value, uint64_t{8}, ending::by(end_reason::vanished));
  REQUIRE(s.link.closed);
  CHECK(s.link.closed->code == 4200);
}

TEST_CASE("the end of another than the peer changes nothing", "[connection]") {
  bound_stage s;
  s.tell(s.peer, atom::peer_end::value, uint64_t{6}, ending::by(end_reason::vanished));
  CHECK_FALSE(s.link.closed);
  s.receive("still there");
  CHECK(take_forwarded(s.peer) == texts{"still there"});
}

TEST_CASE("a connection that is told to end closes and tells its peer", "[connection]") {
  bound_stage s;
  s.tell(s.pairing, atom::end::value, end_reason::replaced);
  REQUIRE(s.link.closed);
  CHECK(s.link.closed->code == 4000);
  auto [id, how] = s.peer.take<atom::peer_end, uint64_t, ending>();
  CHECK(id == own_id);
  CHECK(how.reason == end_reason::replaced);
  CHECK(s.died->reason == end_reason::replaced);
}

TEST_CASE("only the first ending counts", "[connection]") {
  bound_stage s;
  s.link.end(ending::by(end_reason::vanished));
  // Still in the mailbox when the link ended:
  s.pairing.send(s.subject, atom::end::value, end_reason::shutting_down);
  s.peer.send(s.subject, atom::peer_end::value, uint64_t{8}, ending::by(end_reason::vanished));
  s.peer.send(s.subject, atom::forward::value, chunk_of("late"));
  s.heartbeat.send(s.subject, atom::ping::value);
  s.heartbeat.send(s.subject, atom::check::value);
  s.w.settle();
  CHECK(s.died->reason == end_reason::vanished);
  CHECK(s.peer.size() == 1);
  CHECK(s.link.sent.empty());
  CHECK(s.link.pings == 0);
}

TEST_CASE("a bind that comes too late is the pairing's to undo", "[connection]") {
  stage s;
  s.start();
  s.link.end(ending::by(end_reason::vanished));
  s.bind(8, s.peer);
  CHECK(s.died->reason == end_reason::vanished);
  CHECK(s.peer.empty());
}

TEST_CASE("whoever hangs up without a peer has gone", "[connection]") {
  stage s;
  s.start();
  s.link.hang_up();
  s.w.settle();
  CHECK(s.link.closed);
  CHECK(s.died->reason == end_reason::vanished);
}

TEST_CASE("whoever hangs up may have sent something for the peer before", "[connection]") {
  bound_stage s;
  s.link.hang_up();
  s.w.settle();
  CHECK_FALSE(s.died);
  s.receive("last words");
  s.end_link(ending::by(end_reason::vanished));
  CHECK(text_of(s.peer.take<atom::forward, net::chunk>()) == "last words");
  CHECK(s.died);
}

TEST_CASE("the heartbeat is told of every end, even a crash", "[connection]") {
  bound_stage s;
  SECTION("a close") {
    s.end_link({end_reason::closed_by_peer, 1000, ""});
  }
  SECTION("a crash") {
    caf::anon_send_exit(s.subject, caf::exit_reason::kill);
    s.w.settle();
  }
  CHECK(s.heartbeat.take<atom::leave, uint64_t>() == own_id);
  CHECK(s.link.released);
}

// -- the heartbeat --------------------------------------------------------------------------------

TEST_CASE("silence since the ping ends a connection", "[connection]") {
  bound_stage s;
  s.tell(s.heartbeat, atom::ping::value);
  CHECK(s.link.pings == 1);
  s.tell(s.heartbeat, atom::check::value);
  REQUIRE(s.link.closed);
  CHECK(s.link.closed->code == 4201);
  auto [id, how] = s.peer.take<atom::peer_end, uint64_t, ending>();
  CHECK(how.reason == end_reason::heartbeat_missed);
}

TEST_CASE("anything heard since the ping is an answer", "[connection]") {
  bound_stage s;
  for (int round = 0; round < 3; ++round) {
    s.tell(s.heartbeat, atom::ping::value);
    ++s.link.lives;
    s.tell(s.heartbeat, atom::check::value);
    CHECK_FALSE(s.died);
  }
  s.tell(s.heartbeat, atom::ping::value);
  s.tell(s.heartbeat, atom::check::value);
  CHECK(s.died);
}

TEST_CASE("the deadline counts from the first of several pings", "[connection]") {
  bound_stage s;
  s.tell(s.heartbeat, atom::ping::value);
  ++s.link.lives;
  s.tell(s.heartbeat, atom::ping::value);
  s.tell(s.heartbeat, atom::ping::value);
  CHECK(s.link.pings == 3);
  s.tell(s.heartbeat, atom::check::value);
  CHECK_FALSE(s.died);
}

TEST_CASE("a connection that isn't read isn't blamed for silence", "[connection]") {
  bound_stage s;
  s.receive_cost(window);
  CHECK(s.link.paused());
  s.tell(s.heartbeat, atom::ping::value);
  s.tell(s.heartbeat, atom::check::value);
  CHECK_FALSE(s.died);
}

TEST_CASE("a connection that is read again gets the time to read the answer", "[connection]") {
  bound_stage s;
  s.receive_cost(window);
  s.tell(s.heartbeat, atom::ping::value);
  // The pong may wait behind what wasn't read yet.
  s.tell(s.peer, atom::credit::value, uint64_t{window});
  CHECK_FALSE(s.link.paused());
  s.tell(s.heartbeat, atom::check::value);
  CHECK_FALSE(s.died);
  s.tell(s.heartbeat, atom::ping::value);
  s.tell(s.heartbeat, atom::check::value);
  CHECK(s.died);
}
