#include "actors/pairing.hpp"

#include "support/meeting.hpp"

using namespace tandem;
using namespace tandem::test;
using namespace std::chrono_literals;

// -- coming ---------------------------------------------------------------------------------------

TEST_CASE("two with the same key are bound, whoever comes first", "[pairing]") {
  auto first = GENERATE(role::client, role::worker);
  meeting m;
  auto& early = m.enter(1, first);
  CHECK(early.actor.empty());
  auto& late = m.enter(2, other(first));
  check_bound(early, late);
}

TEST_CASE("keys don't mix", "[pairing]") {
  meeting m;
  auto& a = m.enter(1, role::client, "a");
  auto& b = m.enter(2, role::worker, "b");
  CHECK(a.actor.empty());
  CHECK(b.actor.empty());
  check_bound(a, m.enter(3, role::worker, "a"));
  check_bound(b, m.enter(4, role::client, "b"));
}

TEST_CASE("both ends of a pair get the home that was chosen for the first of them", "[pairing]") {
  int32_t chosen = 0;
  meeting m{{.timeout = patience, .choose_home = [&] { return ++chosen; }}};
  CHECK(m.claim_for(1, role::client, "a").home == 1);
  CHECK(m.claim_for(2, role::worker, "b").home == 2);
  CHECK(m.claim_for(3, role::worker, "a").home == 1);
  CHECK(m.claim_for(4, role::client, "b").home == 2);
  // Once nobody is left of a key, it is chosen anew.
  for (uint64_t ticket : {1, 3})
    m.tell(m.admission, atom::withdraw::value, ticket);
  CHECK(m.claim_for(5, role::client, "a").home == 3);
}

TEST_CASE("the front chooses a home if the pairing isn't to", "[pairing]") {
  meeting m;
  CHECK(m.claim_for(1, role::client).home == -1);
}

TEST_CASE("a place that is promised or taken is refused to others", "[pairing]") {
  meeting m;
  CHECK(m.claim_for(1, role::client).why == refusal::none);
  auto refused = m.claim_for(2, role::client);
  CHECK(refused.ticket == 2);
  CHECK(refused.why == refusal::key_taken);
  CHECK(refused.detail == "this key already has a client");
  m.join(1, role::client);
  CHECK(m.claim_for(3, role::client).why == refusal::key_taken);
  CHECK(m.claim_for(4, role::worker).why == refusal::none);
  CHECK(m.claim_for(5, role::client, "another").why == refusal::none);
}

TEST_CASE("a place that isn't needed is free again", "[pairing]") {
  meeting m;
  CHECK(m.claim_for(1, role::client).why == refusal::none);
  m.tell(m.admission, atom::withdraw::value, uint64_t{1});
  auto& client = m.enter(2, role::client);
  // Too late, unknown, or another's: nothing happens.
  for (uint64_t ticket : {1, 2, 77})
    m.tell(m.admission, atom::withdraw::value, ticket);
  check_bound(client, m.enter(3, role::worker));
}

TEST_CASE("a place is free again once its holder was told to end", "[pairing]") {
  meeting m;
  auto& first = m.enter(1, role::client);
  m.w.advance(patience);
  check_told_to_end(first, end_reason::no_peer_in_time);
  auto& worker = m.enter(2, role::worker);
  auto& second = m.enter(3, role::client);
  // Not before the first has gone: it could still send.
  CHECK(worker.actor.empty());
  m.leave(first);
  check_bound(second, worker);
}

TEST_CASE("one that leaves is told to end, behind the peer that it may have", "[pairing]") {
  meeting m;
  auto& alone = m.enter(1, role::client);
  m.tell(alone.actor, atom::leave::value, uint64_t{1});
  check_told_to_end(alone, end_reason::vanished);
  // Its place is free for the next.
  auto& client = m.enter(2, role::client);
  m.leave(alone);
  auto& worker = m.enter(3, role::worker);
  m.tell(client.actor, atom::leave::value, uint64_t{2});
  CHECK(client.actor.take<atom::bind, peer_ref>().who->id == 3);
  check_told_to_end(client, end_reason::vanished);
  m.leave(client);
  CHECK(worker.actor.take<atom::bind, peer_ref>().who->id == 2);
  CHECK(std::get<0>(worker.actor.take<atom::peer_end, uint64_t, ending>()) == 2);
  // Nobody that it knows.
  m.tell(m.admission, atom::leave::value, uint64_t{77});
  CHECK(m.admission.empty());
}

TEST_CASE("a newer connection replaces the holder", "[pairing]") {
  meeting m{{.replaces = true, .timeout = patience}};
  auto& old = m.enter(1, role::client);
  REQUIRE(m.claim_for(2, role::client).why == refusal::none);
  // The new one may yet stay away.
  CHECK(old.actor.empty());
  auto& next = m.join(2, role::client);
  check_told_to_end(old, end_reason::replaced);
  m.leave(old, ending::by(end_reason::replaced));
  check_bound(next, m.enter(3, role::worker));
}

TEST_CASE("a newer connection replaces one in a pair", "[pairing]") {
  meeting m{{.replaces = true, .waits_for_next_peer = true, .timeout = patience}};
  auto& old = m.enter(1, role::client);
  auto& worker = m.enter(2, role::worker);
  check_bound(old, worker);
  auto& next = m.enter(3, role::client);
  check_told_to_end(old, end_reason::replaced);
  CHECK(worker.actor.empty());
  m.leave(old, ending::by(end_reason::replaced));
  CHECK(std::get<0>(worker.actor.take<atom::peer_end, uint64_t, ending>()) == 1);
  check_bound(next, worker);
}

TEST_CASE("one that was told to end isn't given another peer", "[pairing]") {
  meeting m{{.replaces = true, .waits_for_next_peer = true, .timeout = patience}};
  auto& old = m.enter(1, role::client);
  auto& worker = m.enter(2, role::worker);
  check_bound(old, worker);
  auto& next = m.enter(3, role::client);
  check_told_to_end(old, end_reason::replaced);
  m.leave(worker);
  CHECK(std::get<0>(old.actor.take<atom::peer_end, uint64_t, ending>()) == 2);
  auto& next_worker = m.enter(4, role::worker);
  CHECK(old.actor.empty());
  m.leave(old, ending::by(end_reason::replaced));
  check_bound(next, next_worker);
}

TEST_CASE("of several that replace, the newest comes in", "[pairing]") {
  meeting m{{.replaces = true, .timeout = patience}};
  auto& worker = m.enter(1, role::worker);
  for (uint64_t id : {2, 3, 4})
    REQUIRE(m.claim_for(id, role::client).why == refusal::none);
  auto& newest = m.join(4, role::client);
  check_bound(newest, worker);
  check_told_to_end(m.join(2, role::client), end_reason::replaced);
  check_told_to_end(m.join(3, role::client), end_reason::replaced);
  CHECK(newest.actor.empty());
}

TEST_CASE("one that is to come next is replaced like a holder", "[pairing]") {
  meeting m{{.replaces = true, .timeout = patience}};
  auto& first = m.enter(1, role::client);
  auto& second = m.enter(2, role::client);
  check_told_to_end(first, end_reason::replaced);
  REQUIRE(m.claim_for(3, role::client).why == refusal::none);
  check_told_to_end(second, end_reason::replaced);
  auto& third = m.join(3, role::client);
  m.leave(second, ending::by(end_reason::replaced));
  m.leave(first, ending::by(end_reason::replaced));
  check_bound(third, m.enter(4, role::worker));
}

TEST_CASE("an overtaken connection comes in if the newer one stays away", "[pairing]") {
  meeting m{{.replaces = true, .timeout = patience}};
  REQUIRE(m.claim_for(1, role::client).why == refusal::none);
  REQUIRE(m.claim_for(2, role::client).why == refusal::none);
  m.tell(m.admission, atom::withdraw::value, uint64_t{2});
  check_bound(m.join(1, role::client), m.enter(3, role::worker));
}

// -- waiting --------------------------------------------------------------------------------------

TEST_CASE("a connection waits for its peer as long as it may", "[pairing]") {
  meeting m;
  auto& client = m.enter(1, role::client);
  m.w.advance(patience - 1ms);
  CHECK(client.actor.empty());
  m.w.advance(1ms);
  check_told_to_end(client, end_reason::no_peer_in_time);
  m.leave(client, ending::by(end_reason::no_peer_in_time));
  check_bound(m.enter(2, role::client), m.enter(3, role::worker));
}

TEST_CASE("each waits its own time", "[pairing]") {
  meeting m;
  std::vector<meeting::guest*> waiting;
  for (uint64_t id = 1; id <= 5; ++id) {
    waiting.push_back(&m.enter(id, role::client, std::to_string(id)));
    m.w.advance(1s);
  }
  m.w.advance(patience - 5s - 1ms);
  for (auto* who : waiting) {
    CHECK(who->actor.empty());
    m.w.advance(1ms);
    check_told_to_end(*who, end_reason::no_peer_in_time);
    m.w.advance(1s - 1ms);
  }
}

TEST_CASE("a timeout of 0 means waiting for ever", "[pairing]") {
  meeting m{{.timeout = 0ms}};
  auto& client = m.enter(1, role::client);
  m.w.advance(24h);
  CHECK(client.actor.empty());
}

TEST_CASE("nobody in a pair waits", "[pairing]") {
  meeting m;
  auto& client = m.enter(1, role::client);
  auto& worker = m.enter(2, role::worker);
  check_bound(client, worker);
  m.w.advance(2 * patience);
  CHECK(client.actor.empty());
  CHECK(worker.actor.empty());
}

// -- going ----------------------------------------------------------------------------------------

TEST_CASE("who loses its peer isn't given another, if it is to close", "[pairing]") {
  meeting m;
  auto& client = m.enter(1, role::client);
  auto& worker = m.enter(2, role::worker);
  check_bound(client, worker);
  m.leave(client, {end_reason::closed_by_peer, 3000, "bye"});
  auto [id, how] = worker.actor.take<atom::peer_end, uint64_t, ending>();
  CHECK(id == 1);
  CHECK(fields(how) == fields(ending{end_reason::closed_by_peer, 3000, "bye"}));
  // The worker ends by itself; its place and the client's are free.
  auto& next_client = m.enter(3, role::client);
  auto& next_worker = m.enter(4, role::worker);
  CHECK(next_client.actor.empty());
  m.leave(worker, ending::by(end_reason::peer_closed));
  check_bound(next_client, next_worker);
}

TEST_CASE("who waits for the next peer gets it", "[pairing]") {
  meeting m{{.waits_for_next_peer = true, .timeout = patience}};
  auto& worker = m.enter(1, role::worker);
  for (uint64_t id = 2; id <= 5; ++id) {
    auto& client = m.enter(id, role::client);
    check_bound(client, worker);
    m.leave(client);
    CHECK(std::get<0>(worker.actor.take<atom::peer_end, uint64_t, ending>()) == id);
  }
  m.w.advance(patience);
  check_told_to_end(worker, end_reason::no_peer_in_time);
}

TEST_CASE("a crash may have cut a message, any other end says so itself", "[pairing]") {
  meeting m{{.waits_for_next_peer = true, .timeout = patience}};
  auto& client = m.enter(1, role::client);
  auto& worker = m.enter(2, role::worker);
  check_bound(client, worker);
  auto cut = false;
  SECTION("a crash") {
    client.actor.exit(caf::exit_reason::kill);
    cut = true;
  }
  SECTION("the end of an actor without a reason") {
    client.actor.quit();
    cut = true;
  }
  SECTION("an end inside a message") {
    client.actor.exit(make_error({end_reason::vanished, 0, "", true}));
    cut = true;
  }
  SECTION("an end between messages") {
    client.actor.exit(make_error(ending::by(end_reason::vanished)));
  }
  m.w.settle();
  auto [id, how] = worker.actor.take<atom::peer_end, uint64_t, ending>();
  CHECK(id == 1);
  CHECK(how.cut == cut);
}

TEST_CASE("one that dies while it waits leaves nothing behind", "[pairing]") {
  meeting m;
  auto& client = m.enter(1, role::client);
  m.leave(client);
  m.w.advance(2 * patience);
  CHECK(client.actor.empty());
  check_bound(m.enter(2, role::client), m.enter(3, role::worker));
}

TEST_CASE("one that is dead when it joins is buried at once", "[pairing]") {
  meeting m;
  REQUIRE(m.claim_for(1, role::client).why == refusal::none);
  probe dead{m.w};
  dead.exit(caf::exit_reason::kill);
  m.w.settle();
  m.tell(m.admission, atom::join::value,
         member{share({1, role::client, "key", ""}), dead.as<connection_actor>(), 0});
  auto& worker = m.enter(2, role::worker);
  CHECK(worker.actor.empty());
  check_bound(m.enter(3, role::client), worker);
}

// -- the shutdown ---------------------------------------------------------------------------------

TEST_CASE("a shutdown refuses and ends all", "[pairing]") {
  meeting m;
  auto& client = m.enter(1, role::client);
  auto& worker = m.enter(2, role::worker);
  check_bound(client, worker);
  auto& waiting = m.enter(3, role::client, "another");
  REQUIRE(m.claim_for(4, role::client, "late").why == refusal::none);
  m.tell(m.admission, atom::shutdown::value);
  check_told_to_end(client, end_reason::shutting_down);
  check_told_to_end(worker, end_reason::shutting_down);
  check_told_to_end(waiting, end_reason::shutting_down);
  CHECK(m.claim_for(5, role::worker).why == refusal::draining);
  // The handshake of one that was promised a place may be done only now.
  check_told_to_end(m.join(4, role::client, "late"), end_reason::shutting_down);
  m.w.advance(2 * patience);
  CHECK(waiting.actor.empty());
}

// -- the restart ----------------------------------------------------------------------------------

TEST_CASE("a pairing that is started anew finds its pairs as they were", "[pairing]") {
  meeting m;
  check_bound(m.enter(1, role::client), m.enter(2, role::worker));
  m.enter(3, role::worker, "waiting");
  caf::anon_send_exit(m.subject, caf::exit_reason::kill);
  m.subject = m.spawn();

  auto& client = m.join(1, role::client, "key", 2);
  auto& worker = m.join(2, role::worker, "key", 1);
  auto& waiting = m.join(3, role::worker, "waiting");
  CHECK(client.actor.empty());
  CHECK(worker.actor.empty());
  CHECK(m.claim_for(4, role::client).why == refusal::key_taken);
  check_bound(m.enter(5, role::client, "waiting"), waiting);
  m.w.advance(2 * patience);
  CHECK(client.actor.empty());

  m.leave(client);
  CHECK(std::get<0>(worker.actor.take<atom::peer_end, uint64_t, ending>()) == 1);
}

TEST_CASE("one that the old pairing bound to another isn't bound anew", "[pairing]") {
  auto side = GENERATE(role::client, role::worker);
  meeting m;
  auto& stale = m.join(2, side, "key", 1);
  auto& next = m.enter(3, other(side));
  check_told_to_end(stale, end_reason::peer_lost);
  CHECK(next.actor.empty());
  m.leave(stale, ending::by(end_reason::peer_lost));
  check_bound(next, m.enter(4, side));
}

TEST_CASE("one that doesn't know its pair yet is bound again with its peer", "[pairing]") {
  meeting m;
  auto& client = m.join(1, role::client, "key", 2);
  check_bound(client, m.join(2, role::worker, "key", 0));
}

TEST_CASE("a pairing knows its members already when they join again", "[pairing]") {
  meeting m;
  auto& client = m.enter(1, role::client);
  auto& worker = m.enter(2, role::worker);
  check_bound(client, worker);
  m.events();
  m.join(1, role::client, "key", 2);
  m.join(2, role::worker, "key", 1);
  CHECK(client.actor.empty());
  CHECK(worker.actor.empty());
  CHECK(m.events().empty());
}

TEST_CASE("everyone is told to join a new heartbeat", "[pairing]") {
  meeting m;
  auto& client = m.enter(1, role::client);
  auto& worker = m.enter(2, role::worker, "another");
  m.tell(m.admission, atom::rejoin::value);
  client.actor.take<atom::rejoin>();
  worker.actor.take<atom::rejoin>();
  CHECK(client.actor.empty());
  CHECK(worker.actor.empty());
}

// -- extensions -----------------------------------------------------------------------------------

TEST_CASE("an extension learns of everything, in order", "[pairing]") {
  meeting m{{.waits_for_next_peer = true, .timeout = patience}};
  m.claim_for(1, role::client);
  CHECK(m.events().empty());
  m.join(1, role::client);
  auto& worker = m.enter(2, role::worker);
  CHECK(m.events() == event_log{"connected 1", "connected 2", "paired key 1+2"});
  m.leave(m.guests.at(1));
  CHECK(m.events() == event_log{"unpaired key 1+2", "disconnected 1 closed_by_peer"});
  m.enter(3, role::client);
  CHECK(m.events() == event_log{"connected 3", "paired key 3+2"});
  m.leave(worker, ending::by(end_reason::vanished));
  CHECK(m.events() == event_log{"unpaired key 3+2", "disconnected 2 vanished"});
  m.w.advance(patience);
  m.leave(m.guests.at(3), ending::by(end_reason::no_peer_in_time));
  CHECK(m.events() == event_log{"disconnected 3 no_peer_in_time"});
}

TEST_CASE("an extension that died isn't told any more, the others are", "[pairing]") {
  meeting m;
  probe second{m.w};
  m.tell(second, atom::subscribe::value, second.as<extension_actor>());
  m.extension.exit(caf::exit_reason::kill);
  m.w.settle();
  m.enter(1, role::client);
  CHECK(m.extension.empty());
  CHECK(second.take<connected>().who.key == "key");
}
