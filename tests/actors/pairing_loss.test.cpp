// What becomes of a pool's clients whose worker is lost, and mode shared.
#include "support/pool_meeting.hpp"

using namespace tandem;
using namespace tandem::test;
using namespace std::chrono_literals;

TEST_CASE("a client that loses its worker closes, if it is to close", "[pool]") {
  pool_meeting m;
  auto& worker = m.enter(1, role::worker);
  auto& client = m.enter(2, role::client);
  check_bound(client, worker);
  m.enter(3, role::worker);
  m.leave(worker, ending::by(end_reason::vanished));
  check_lost(client, 1);
}

TEST_CASE("a client that loses its worker gets another one, before all who wait", "[pool]") {
  pool_meeting m{{.waits_for_next_peer = true}};
  auto& host = m.enlist(1, 2);
  auto& a = m.enter(2, role::client);
  auto& for_a = m.open_next(host, 2);
  check_bound(a, for_a);
  auto& b = m.enter(3, role::client);
  auto& for_b = m.open_next(host, 3);
  check_bound(b, for_b);
  claim request{.ticket = 4, .key = "key"};
  request.priority = 9;
  CHECK(m.ask(request).why == refusal::none);
  auto& urgent = m.join(4, role::client);
  m.leave(host);
  // In whatever order they hear of it.
  m.leave(for_b, ending::by(end_reason::vanished));
  check_lost_and_asked(b, for_b.who.id);
  m.join_again(b);
  m.leave(for_a, ending::by(end_reason::vanished));
  check_lost_and_asked(a, for_a.who.id);
  m.join_again(a);
  check_bound(a, m.enter(5, role::worker));
  check_bound(b, m.enter(6, role::worker));
  check_bound(urgent, m.enter(7, role::worker));
}

TEST_CASE("no worker is spent on a client that ends with its last one", "[pool]") {
  pool_meeting m{{.waits_for_next_peer = true}};
  auto& lost = m.enter(1, role::worker);
  auto& client = m.enter(2, role::client);
  check_bound(client, lost);
  auto& spare = m.enter(3, role::worker);
  bool asked = true;
  SECTION("a message of the worker's was cut") {
    m.leave(lost, {end_reason::vanished, 0, "", true});
    asked = false;
  }
  SECTION("a message of its own was") {
    m.leave(lost);
  }
  if (asked)
    check_lost_and_asked(client, 1);
  else
    check_lost(client, 1);
  m.leave(client, ending::by(end_reason::peer_lost));
  CHECK(spare.actor.empty());
  check_bound(m.enter(4, role::client), spare);
}

TEST_CASE("a promise that a worker can't keep is another's", "[pool]") {
  pool_meeting m;
  auto& first = m.enter(1, role::worker);
  CHECK(m.claim_for(2, role::client).why == refusal::none);
  auto& waiting = m.enter(3, role::client);
  m.leave(first);
  auto& second = m.enter(4, role::worker);
  CHECK(waiting.actor.empty());
  check_bound(m.join(2, role::client), second);
}

TEST_CASE("channels that a lost host hasn't opened are another's", "[pool]") {
  pool_meeting m;
  auto& host = m.enlist(1, 3);
  auto& a = m.enter(2, role::client);
  auto& b = m.enter(3, role::client);
  CHECK(m.claim_for(4, role::client).why == refusal::none);
  m.leave(m.enter(5, role::client));
  m.leave(host);
  CHECK(a.actor.empty());
  auto& next = m.enlist(6, 3);
  check_bound(a, m.open_next(next, 2));
  check_bound(b, m.open_next(next, 3));
  CHECK(next.actor.empty());
  auto& c = m.join(4, role::client);
  check_bound(c, m.open_next(next, 4));
  // A channel that came too late.
  check_told_to_end(m.join_channel(1000, 1), end_reason::peer_lost);
}

TEST_CASE("an extension learns of channels as of all connections", "[pool]") {
  pool_meeting m;
  auto& host = m.enlist(1, 2);
  auto& client = m.enter(2, role::client);
  auto& channel = m.open_next(host, 2);
  const auto id = std::to_string(channel.who.id);
  CHECK(m.events() ==
        event_log{"connected 1", "connected 2", "connected " + id, "paired key 2+" + id});
  m.leave(client);
  m.leave(channel, ending::by(end_reason::peer_closed));
  m.leave(host);
  CHECK(m.events() == event_log{"unpaired key 2+" + id, "disconnected 2 closed_by_peer",
                                "disconnected " + id + " peer_closed", "disconnected 1 vanished"});
}

// -- mode shared ----------------------------------------------------------------------------------

namespace {

pairing_options shared_options(bool replaces = false, bool waits = false) {
  return {.replaces = replaces, .waits_for_next_peer = waits, .mode = pairing_mode::shared};
}

} // namespace

TEST_CASE("one worker is shared by all clients of its key", "[pool]") {
  pool_meeting m{shared_options()};
  auto& early = m.enter(2, role::client);
  auto& host = m.enlist(1, 1);
  check_bound(early, m.open_next(host, 2));
  for (uint64_t id = 3; id < 100; ++id) {
    auto& client = m.enter(id, role::client);
    check_bound(client, m.open_next(host, id));
  }
  // What it says of its slots isn't asked for.
  m.tell(host.actor, atom::capacity::value, uint64_t{1}, uint32_t{1});
  auto& last = m.enter(100, role::client);
  check_bound(last, m.open_next(host, 100));
}

TEST_CASE("a shared worker is framed, and the only one", "[pool]") {
  pool_meeting m{shared_options()};
  auto raw = m.claim_for(1, role::worker);
  CHECK(raw.why == refusal::bad_request);
  CHECK(raw.detail.find("tandem.v1") != std::string::npos);
  auto framed = [](uint64_t id) {
    return claim{.ticket = id, .side = role::worker, .key = "key", .frames = framing::json};
  };
  CHECK(m.ask(framed(2)).why == refusal::none);
  CHECK(m.ask(framed(3)).why == refusal::key_taken);
  auto& host = m.come(2, 1);
  CHECK(m.ask(framed(4)).why == refusal::key_taken);
  // One that drains is as good as gone.
  m.enter(5, role::client);
  m.tell(host.actor, atom::drain::value, uint64_t{2});
  CHECK(m.ask(framed(6)).why == refusal::none);
  m.tell(m.admission, atom::withdraw::value, uint64_t{6});
  CHECK(m.ask(framed(7)).why == refusal::none);
}

TEST_CASE("a shared worker is replaced by a newer one, and its clients go over", "[pool]") {
  pool_meeting m{shared_options(true, true)};
  auto& old = m.enlist(1, 1);
  auto& client = m.enter(2, role::client);
  auto& channel = m.open_next(old, 2);
  check_bound(client, channel);
  auto& next = m.enlist(3, 1);
  CHECK(old.actor.take<atom::end, end_reason>() == end_reason::replaced);
  auto& newcomer = m.enter(4, role::client);
  check_bound(newcomer, m.open_next(next, 4));
  m.leave(old, ending::by(end_reason::replaced));
  m.leave(channel, ending::by(end_reason::replaced));
  check_lost_and_asked(client, channel.who.id);
  m.join_again(client);
  check_bound(client, m.open_next(next, 2));
}

TEST_CASE("of several shared workers that replace, the newest comes in", "[pool]") {
  pool_meeting m{shared_options(true)};
  for (uint64_t id : {1, 2})
    REQUIRE(
        m.ask({.ticket = id, .side = role::worker, .key = "key", .frames = framing::binary}).why ==
        refusal::none);
  auto& newest = m.come(2, 1);
  auto& overtaken = m.come(1, 1);
  CHECK(overtaken.actor.take<atom::end, end_reason>() == end_reason::replaced);
  m.enter(3, role::client);
  m.open_next(newest, 3);
  CHECK(overtaken.actor.empty());
}
