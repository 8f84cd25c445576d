#include "actors/connection.hpp"
#include "support/stage.hpp"

using namespace tandem;
using namespace tandem::test;

TEST_CASE("a link is told of its peer, and of what it may send to it first", "[connection]") {
  stage s;
  s.start();
  CHECK_FALSE(s.link.bound);
  s.bind(8, s.peer);
  REQUIRE(s.link.bound);
  CHECK(s.link.bound->id == 8);
}

TEST_CASE("a link is told of its place in a queue", "[connection]") {
  stage s;
  s.start();
  s.tell(s.pairing, atom::position::value, uint32_t{3});
  CHECK(s.link.position == 3);
  s.tell(s.pairing, atom::position::value, uint32_t{1});
  CHECK(s.link.position == 1);
}

TEST_CASE("a link that outlives its peer is told of the loss", "[connection]") {
  bound_stage s{true};
  s.tell(s.peer, atom::peer_end::value, uint64_t{8}, ending::by(end_reason::vanished));
  CHECK(s.link.rematching == false);
  probe next{s.w};
  s.bind(9, next);
  CHECK(s.link.bound->id == 9);
}

TEST_CASE("a link that goes with its peer isn't told of the loss", "[connection]") {
  bound_stage s;
  s.tell(s.peer, atom::peer_end::value, uint64_t{8}, ending::by(end_reason::vanished));
  CHECK_FALSE(s.link.rematching);
  CHECK(s.link.closed);
}

TEST_CASE("a channel's life is its host's to watch", "[connection]") {
  stage s;
  auto& link = s.w.make_link();
  auto channel = s.w.system().spawn<connection>(
      std::ref(s.w.home()), net::link_ptr{&link},
      peer_info{.id = 9, .side = role::worker, .key = "key", .remote = "r", .host = 2},
      std::shared_ptr<const connection_options>{s.options});
  s.w.settle();
  CHECK(s.heartbeat.empty());
  CHECK(s.pairing.take<atom::join, member>().who->host == 2);
  s.pairing.send(channel, atom::end::value, end_reason::peer_lost);
  s.w.settle();
  CHECK(link.closed->reason == end_reason::peer_lost);
  CHECK(s.heartbeat.empty());
}
