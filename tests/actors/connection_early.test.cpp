#include "actors/connection.hpp"
#include "support/stage.hpp"

using namespace tandem;
using namespace tandem::test;

// What a connection sends before it hears of its peer.

TEST_CASE("early chunks wait for the peer and go first, in order", "[connection]") {
  stage s;
  s.start();
  s.receive("one");
  s.receive("two");
  CHECK(s.peer.empty());
  s.bind(8, s.peer);
  s.receive("three");
  for (const auto* text : {"one", "two", "three"})
    CHECK(text_of(s.peer.take<atom::forward, net::chunk>()) == text);
  CHECK(s.peer.empty());
}

TEST_CASE("a link that ends before its owner hears of the peer is still heard", "[connection]") {
  auto hangs_up = GENERATE(false, true);
  stage s;
  s.start();
  s.receive("one");
  s.receive("two");
  if (hangs_up)
    s.link.hang_up();
  else
    s.link.end({end_reason::closed_by_peer, 4321, "done"});
  s.w.settle();
  s.bind(8, s.peer);
  CHECK(text_of(s.peer.take<atom::forward, net::chunk>()) == "one");
  CHECK(text_of(s.peer.take<atom::forward, net::chunk>()) == "two");
  auto [id, how] = s.peer.take<atom::peer_end, uint64_t, ending>();
  CHECK(id == own_id);
  CHECK(how.reason == (hangs_up ? end_reason::vanished : end_reason::closed_by_peer));
  CHECK(s.peer.empty());
  CHECK(s.died->reason == how.reason);
}

TEST_CASE("a link that ends with nothing to deliver waits for nobody", "[connection]") {
  stage s;
  s.start();
  s.pairing.forget();
  s.end_link({end_reason::closed_by_peer, 1000, "done"});
  CHECK(s.died->reason == end_reason::closed_by_peer);
  CHECK(s.pairing.empty());
}

TEST_CASE("one that waits for the pairing's word ends if that was started anew", "[connection]") {
  stage s;
  s.start();
  s.receive("one");
  s.end_link({end_reason::closed_by_peer, 1000, "done"});
  CHECK_FALSE(s.died);
  s.pairing.forget();
  s.tell(s.heartbeat, atom::rejoin::value);
  CHECK(s.died->reason == end_reason::closed_by_peer);
  CHECK(s.pairing.empty());
}

TEST_CASE("what a link delivers while it starts is early, too", "[connection]") {
  stage s;
  s.link.on_start = [&] { s.link.receive(chunk_of("with the handshake")); };
  s.start();
  s.bind(8, s.peer);
  CHECK(text_of(s.peer.take<atom::forward, net::chunk>()) == "with the handshake");
}
