// A pairing that was started anew, and those who were there before.
#include "support/pool_meeting.hpp"

using namespace tandem;
using namespace tandem::test;
using namespace std::chrono_literals;

namespace {

/// How long one side of a pair waits for the other to join.
constexpr auto regrouping = 5s;

void check_untold(std::initializer_list<const meeting::guest*> all) {
  for (const auto* x : all)
    CHECK(x->actor.empty());
}

bool has_room(pool_meeting& m) {
  static uint64_t ticket = 50'000;
  ++ticket;
  const bool yes = m.claim_for(ticket, role::client).why == refusal::none;
  if (yes)
    m.tell(m.admission, atom::withdraw::value, ticket);
  return yes;
}

} // namespace

TEST_CASE("a new pairing finds a pool's pairs as they were", "[pool]") {
  const bool client_first = GENERATE(true, false);
  const bool raw = GENERATE(true, false);
  pool_meeting m{{.max_waiting = 0}};
  const uint64_t peer = raw ? 2 : 3;
  auto join_client = [&] { m.join(1, role::client, "key", peer); };
  auto join_worker = [&] {
    if (raw)
      m.join(peer, role::worker, "key", 1);
    else
      m.join_channel(peer, 10, "key", 1);
  };
  if (client_first)
    join_client(), join_worker();
  else
    join_worker(), join_client();
  if (!raw)
    m.come(10, 1, "key", {{3, m.guests.at(3).actor.as<connection_actor>()}});
  m.w.advance(1h);
  check_untold({&m.guests.at(1), &m.guests.at(peer)});
  CHECK(m.events().size() == (raw ? 2 : 3));
  CHECK_FALSE(has_room(m));
  m.leave(m.guests.at(1));
  check_lost(m.guests.at(peer), 1);
  m.leave(m.guests.at(peer));
  CHECK(has_room(m) == !raw);
}

TEST_CASE("a pair of which one side hadn't heard is bound again", "[pool]") {
  pool_meeting m;
  SECTION("the client hadn't, and comes last") {
    auto& worker = m.join(2, role::worker, "key", 1);
    check_bound(m.join(1, role::client), worker);
  }
  SECTION("the client hadn't, and comes first") {
    auto& client = m.join(1, role::client);
    check_bound(client, m.join_channel(2, 10, "key", 1));
  }
  SECTION("the worker hadn't, and comes last") {
    auto& client = m.join(1, role::client, "key", 2);
    check_bound(client, m.join(2, role::worker));
  }
  SECTION("the worker hadn't, and comes first") {
    auto& worker = m.join(2, role::worker);
    check_bound(m.join(1, role::client, "key", 2), worker);
  }
}

TEST_CASE("a host's channels take its slots, whether they have joined or not", "[pool]") {
  pool_meeting m{{.max_waiting = 0}};
  probe silent{m.w};
  m.come(10, 1, "key", {{3, silent.as<connection_actor>()}});
  CHECK_FALSE(has_room(m));
  SECTION("it dies without having joined") {
    silent.exit(caf::exit_reason::kill);
    m.w.settle();
  }
  SECTION("it joins, and has no client") {
    peer_info who{3, role::worker, "key", "remote"};
    who.host = 10;
    auto& channel = m.guests.try_emplace(3, meeting::guest{who, silent}).first->second;
    m.join_again(channel);
    check_told_to_end(channel, end_reason::peer_lost);
    CHECK_FALSE(has_room(m));
    m.leave(channel);
  }
  CHECK(has_room(m));
}

TEST_CASE("a channel that joins before its host takes a slot of it, too", "[pool]") {
  pool_meeting m{{.max_waiting = 0}};
  auto& channel = m.join_channel(3, 10, "key", 1);
  m.join(1, role::client, "key", 3);
  const auto listed = GENERATE(true, false);
  if (!listed)
    // It has gone from the host's list already, and its end is on its way.
    m.come(10, 2);
  else
    m.come(10, 2, "key", {{3, channel.actor.as<connection_actor>()}});
  REQUIRE(m.claim_for(20, role::client).why == refusal::none);
  CHECK(m.claim_for(21, role::client).why == refusal::queue_full);
  m.leave(channel);
  CHECK(m.claim_for(22, role::client).why == refusal::none);
}

TEST_CASE("one whose peer doesn't come is parted from it", "[pool]") {
  const bool goes_on = GENERATE(true, false);
  pool_meeting m{{.waits_for_next_peer = goes_on, .keeps_raw_workers = goes_on}};
  meeting::guest* who = nullptr;
  uint64_t missing = 2;
  SECTION("a client") {
    who = &m.join(1, role::client, "key", missing);
  }
  SECTION("a raw worker") {
    who = &m.join(1, role::worker, "key", missing);
  }
  m.w.advance(regrouping - 1ms);
  check_untold({who});
  m.w.advance(1ms);
  if (!goes_on) {
    check_lost(*who, missing);
    return;
  }
  check_lost_and_asked(*who, missing);
  m.join_again(*who);
  check_bound(*who, m.enter(4, other(who->who.side)));
}

TEST_CASE("a channel whose client doesn't come is parted from it", "[pool]") {
  pool_meeting m{{.waits_for_next_peer = true, .max_waiting = 0, .keeps_raw_workers = true}};
  auto& channel = m.join_channel(3, 10, "key", 1);
  m.come(10, 1, "key", {{3, channel.actor.as<connection_actor>()}});
  m.w.advance(regrouping);
  check_lost(channel, 1);
  CHECK_FALSE(has_room(m));
  m.leave(channel);
  CHECK(has_room(m));
}

TEST_CASE("of several that name the same peer, one stays", "[pool]") {
  pool_meeting m;
  auto& first = m.join(1, role::client, "key", 3);
  auto& second = m.join(2, role::client, "key", 3);
  check_told_to_end(second, end_reason::peer_lost);
  auto& worker = m.join(3, role::worker, "key", 1);
  check_untold({&first, &worker});
  m.leave(second);
  check_untold({&first, &worker});
  m.leave(first);
  check_lost(worker, 1);
}

TEST_CASE("one that names a peer which has another ends", "[pool]") {
  pool_meeting m;
  SECTION("a channel, whose client has got a new one") {
    auto& client = m.join(1, role::client);
    check_bound(client, m.enter(2, role::worker));
    check_told_to_end(m.join_channel(3, 10, "key", 1), end_reason::peer_lost);
    check_untold({&client});
  }
  SECTION("a client, whose worker names another") {
    m.join(1, role::worker, "key", 2);
    auto& client = m.join(2, role::client, "key", 77);
    check_told_to_end(client, end_reason::peer_lost);
    m.leave(client);
    check_lost(m.guests.at(1), 2);
  }
}

TEST_CASE("a client of before has its priority and its place by arrival", "[pool]") {
  pool_meeting m;
  peer_info urgent{3, role::client, "key", "remote"};
  urgent.priority = 1;
  for (const auto& who : {peer_info{2, role::client, "key", "remote"},
                          peer_info{1, role::client, "key", "remote"}, urgent}) {
    auto& x = m.guests.try_emplace(who.id, meeting::guest{who, probe{m.w}}).first->second;
    m.join_again(x);
  }
  for (uint64_t client : {3, 1, 2})
    check_bound(m.guests.at(client), m.enter(client + 10, role::worker));
}
