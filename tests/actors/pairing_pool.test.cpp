// Mode pool: slots, and the queue for them.
#include "support/pool_meeting.hpp"

using namespace tandem;
using namespace tandem::test;
using namespace std::chrono_literals;

// -- raw workers ----------------------------------------------------------------------------------

TEST_CASE("each raw worker of a pool takes one client", "[pool]") {
  pool_meeting m;
  auto& first = m.enter(1, role::worker);
  auto& second = m.enter(2, role::worker);
  auto& a = m.enter(3, role::client);
  auto& b = m.enter(4, role::client);
  check_bound(a, first);
  check_bound(b, second);
  auto& c = m.enter(5, role::client);
  CHECK(c.actor.empty());
  check_bound(c, m.enter(6, role::worker));
}

TEST_CASE("a slot is taken as soon as it is promised", "[pool]") {
  pool_meeting m{{.max_waiting = 0}};
  auto& worker = m.enter(1, role::worker);
  CHECK(m.claim_for(2, role::client).why == refusal::none);
  auto refused = m.claim_for(3, role::client);
  CHECK(refused.why == refusal::queue_full);
  CHECK(describe(refused.why).status == 503);
  CHECK(describe(refused.why).retry_after == 5);
  CHECK(worker.actor.empty());
  // Given back by one that doesn't come, and taken by the next.
  m.tell(m.admission, atom::withdraw::value, uint64_t{2});
  CHECK(m.claim_for(4, role::client).why == refusal::none);
  CHECK(m.claim_for(5, role::client).why == refusal::queue_full);
  check_bound(m.join(4, role::client), worker);
}

TEST_CASE("a client may wait for a worker that is about to come", "[pool]") {
  pool_meeting m{{.max_waiting = 0}};
  REQUIRE(m.claim_for(1, role::worker).why == refusal::none);
  CHECK(m.claim_for(2, role::client).why == refusal::none);
  CHECK(m.claim_for(3, role::client).why == refusal::queue_full);
  auto& worker = m.join(1, role::worker);
  CHECK(m.claim_for(4, role::client).why == refusal::queue_full);
  check_bound(m.join(2, role::client), worker);
}

TEST_CASE("pools of different keys have nothing in common", "[pool]") {
  pool_meeting m{{.max_waiting = 0}};
  auto& worker = m.enter(1, role::worker, "a");
  CHECK(m.claim_for(2, role::client, "b").why == refusal::queue_full);
  check_bound(m.enter(3, role::client, "a"), worker);
}

TEST_CASE("a raw worker ends with its client, or takes the next one", "[pool]") {
  const bool keeps = GENERATE(false, true);
  pool_meeting m{{.keeps_raw_workers = keeps}};
  auto& worker = m.enter(1, role::worker);
  auto& client = m.enter(2, role::client);
  check_bound(client, worker);
  auto& next = m.enter(3, role::client);
  m.leave(client);
  CHECK(next.actor.empty());
  if (!keeps) {
    // By itself.
    check_lost(worker, 2);
    m.leave(worker, ending::by(end_reason::peer_closed));
    CHECK(next.actor.empty());
    check_bound(next, m.enter(4, role::worker));
    return;
  }
  // It may yet end, so it isn't given away before it says that it didn't.
  check_lost_and_asked(worker, 2);
  m.join_again(worker);
  check_bound(next, worker);
}

TEST_CASE("a raw worker isn't kept if a message may be cut, nor once it has ended", "[pool]") {
  pool_meeting m{{.max_waiting = 0, .keeps_raw_workers = true}};
  auto& worker = m.enter(1, role::worker);
  auto& client = m.enter(2, role::client);
  check_bound(client, worker);
  SECTION("its client's message is cut") {
    m.leave(client, {end_reason::vanished, 0, "", true});
    check_lost(worker, 2);
  }
  SECTION("its own was, so it ended") {
    m.leave(client);
    check_lost_and_asked(worker, 2);
    m.leave(worker, ending::by(end_reason::peer_lost));
  }
  CHECK(m.claim_for(3, role::client).why == refusal::queue_full);
}

TEST_CASE("a worker that joins again for another reason isn't free", "[pool]") {
  pool_meeting m{{.max_waiting = 0, .keeps_raw_workers = true}};
  auto& worker = m.enter(1, role::worker);
  check_bound(m.enter(2, role::client), worker);
  m.join_again(worker, 2);
  CHECK(m.claim_for(3, role::client).why == refusal::queue_full);
}

TEST_CASE("a client's socket is to live where its worker's does", "[pool]") {
  pool_meeting m;
  CHECK(m.claim_for(1, role::worker).home == -1);
  peer_info who{1, role::worker, "key", "remote"};
  auto& worker = m.guests.try_emplace(1, meeting::guest{who, probe{m.w}}).first->second;
  m.tell(worker.actor, atom::join::value,
         member{share(who), worker.actor.as<connection_actor>(), 0, 3});
  CHECK(m.claim_for(2, role::client).home == 3);
  CHECK(m.claim_for(3, role::client).home == -1);
}

// -- the queue ------------------------------------------------------------------------------------

TEST_CASE("who waits is served by priority, then in order of arrival", "[pool]") {
  pool_meeting m;
  for (auto [id, priority] : {std::pair{1, 0}, {2, 5}, {3, -1}, {4, 5}, {5, 0}}) {
    claim request{.ticket = static_cast<uint64_t>(id), .key = "key"};
    request.priority = priority;
    CHECK(m.ask(request).why == refusal::none);
    m.join(static_cast<uint64_t>(id), role::client);
  }
  uint64_t worker = 10;
  for (uint64_t client : {2, 4, 1, 5, 3})
    check_bound(m.guests.at(client), m.enter(worker++, role::worker));
}

TEST_CASE("one whose handshake is under way keeps its place, and is served in it", "[pool]") {
  pool_meeting m;
  CHECK(m.claim_for(1, role::client).why == refusal::none);
  auto& second = m.enter(2, role::client);
  auto& worker = m.enter(3, role::worker);
  // The slot is the first one's, whose connection is yet to come.
  CHECK(second.actor.empty());
  SECTION("it comes") {
    check_bound(m.join(1, role::client), worker);
    CHECK(second.actor.empty());
  }
  SECTION("it doesn't") {
    m.tell(m.admission, atom::withdraw::value, uint64_t{1});
    check_bound(second, worker);
  }
}

TEST_CASE("the queue of a key has an end", "[pool]") {
  pool_meeting m{{.max_waiting = 2}};
  m.enter(1, role::client);
  CHECK(m.claim_for(2, role::client).why == refusal::none);
  CHECK(m.claim_for(3, role::client).why == refusal::queue_full);
  m.tell(m.admission, atom::withdraw::value, uint64_t{2});
  auto& last = m.enter(4, role::client);
  CHECK(m.claim_for(5, role::client).why == refusal::queue_full);
  m.leave(m.guests.at(1));
  CHECK(m.claim_for(6, role::client).why == refusal::none);
  check_bound(last, m.enter(7, role::worker));
}

TEST_CASE("a client waits for a worker as long as it may", "[pool]") {
  pool_meeting m;
  auto& first = m.enter(1, role::client);
  m.w.advance(1s);
  auto& second = m.enter(2, role::client);
  m.w.advance(worker_patience - 1s - 1ms);
  CHECK(first.actor.empty());
  m.w.advance(1ms);
  check_told_to_end(first, end_reason::no_worker_in_time);
  CHECK(describe(end_reason::no_worker_in_time).code == 1013);
  // It is out of the queue at once.
  auto& worker = m.enter(3, role::worker);
  check_bound(second, worker);
  m.w.advance(24h);
  CHECK(second.actor.empty());
  CHECK(worker.actor.empty());
}

TEST_CASE("an idle worker of a pool waits for ever", "[pool]") {
  pool_meeting m;
  auto& worker = m.enter(1, role::worker);
  m.w.advance(24h);
  check_bound(m.enter(2, role::client), worker);
}

// -- hosts ----------------------------------------------------------------------------------------

TEST_CASE("a host gets a channel for each client, up to its capacity", "[pool]") {
  pool_meeting m;
  auto& host = m.enlist(1, 2);
  auto& a = m.enter(2, role::client);
  auto& b = m.enter(3, role::client);
  auto& c = m.enter(4, role::client);
  auto& for_a = m.open_next(host, 2);
  check_bound(a, for_a);
  auto& for_b = m.open_next(host, 3);
  check_bound(b, for_b);
  CHECK(host.actor.empty());
  // A slot is free when the channel has gone, and no sooner.
  m.leave(a);
  check_lost(for_a, 2);
  CHECK(host.actor.empty());
  m.leave(for_a, ending::by(end_reason::peer_closed));
  check_bound(c, m.open_next(host, 4));
}

TEST_CASE("a channel opens only once its client is there", "[pool]") {
  pool_meeting m{{.max_waiting = 0}};
  auto& host = m.enlist(1, 1);
  CHECK(m.claim_for(2, role::client).why == refusal::none);
  CHECK(host.actor.empty());
  CHECK(m.claim_for(3, role::client).why == refusal::queue_full);
  m.tell(m.admission, atom::withdraw::value, uint64_t{2});
  auto& client = m.enter(4, role::client);
  check_bound(client, m.open_next(host, 4));
}

TEST_CASE("a channel whose client has gone meanwhile is ended", "[pool]") {
  pool_meeting m{{.max_waiting = 0}};
  auto& host = m.enlist(1, 1);
  m.leave(m.enter(2, role::client));
  // Its slot is taken until it has gone.
  CHECK(m.claim_for(3, role::client).why == refusal::queue_full);
  auto& channel = m.open_next(host, 2);
  check_told_to_end(channel, end_reason::peer_lost);
  CHECK(m.claim_for(4, role::client).why == refusal::queue_full);
  m.leave(channel, ending::by(end_reason::peer_lost));
  CHECK(m.claim_for(5, role::client).why == refusal::none);
}

TEST_CASE("one that leaves while its channel is on its way hears of it before", "[pool]") {
  pool_meeting m;
  auto& host = m.enlist(1, 1);
  auto& client = m.enter(2, role::client);
  m.tell(client.actor, atom::leave::value, uint64_t{2});
  CHECK(client.actor.empty());
  SECTION("the channel comes") {
    auto& channel = m.open_next(host, 2);
    CHECK(client.actor.take<atom::bind, peer_ref>().who->id == channel.who.id);
    check_told_to_end(client, end_reason::vanished);
    m.leave(client);
    CHECK(channel.actor.take<atom::bind, peer_ref>().who->id == 2);
    check_lost(channel, 2);
  }
  SECTION("the host goes") {
    m.leave(host);
    check_told_to_end(client, end_reason::vanished);
  }
}

TEST_CASE("capacity grows and shrinks, and no channel is ended for it", "[pool]") {
  pool_meeting m;
  auto& host = m.enlist(1, 1);
  std::vector<meeting::guest*> channels;
  for (uint64_t id = 2; id <= 6; ++id)
    m.enter(id, role::client);
  auto open = [&](uint64_t client) { channels.push_back(&m.open_next(host, client)); };
  open(2);
  CHECK(host.actor.empty());
  m.tell(host.actor, atom::capacity::value, uint64_t{1}, uint32_t{3});
  open(3);
  open(4);
  CHECK(host.actor.empty());
  m.tell(host.actor, atom::capacity::value, uint64_t{1}, uint32_t{1});
  for (auto* channel : channels)
    CHECK(channel->actor.take<atom::bind, peer_ref>().who->side == role::client);
  m.leave(*channels[0]);
  m.leave(*channels[1]);
  CHECK(host.actor.empty());
  m.leave(*channels[2]);
  open(5);
  CHECK(host.actor.empty());
  CHECK(channels[3]->actor.size() == 1);
}

TEST_CASE("a host that drains gets no more channels, and ends after its last one", "[pool]") {
  pool_meeting m;
  auto& host = m.enlist(1, 2);
  m.enter(2, role::client);
  auto& channel = m.open_next(host, 2);
  m.tell(host.actor, atom::drain::value, uint64_t{1});
  m.enter(3, role::client);
  CHECK(host.actor.empty());
  m.leave(channel);
  CHECK(host.actor.take<atom::end, end_reason>() == end_reason::drained);
  CHECK(host.actor.empty());
  CHECK(describe(end_reason::drained).code == 1000);
}

TEST_CASE("a host without channels that drains ends at once", "[pool]") {
  pool_meeting m;
  auto& host = m.enlist(1, 2);
  m.tell(host.actor, atom::drain::value, uint64_t{1});
  CHECK(host.actor.take<atom::end, end_reason>() == end_reason::drained);
}

TEST_CASE("clients go on with raw workers and hosts alike", "[pool]") {
  pool_meeting m{{.select = selection::round_robin}};
  auto& raw = m.enter(1, role::worker);
  auto& host = m.enlist(2, 1);
  check_bound(m.enter(3, role::client), raw);
  auto& b = m.enter(4, role::client);
  check_bound(b, m.open_next(host, 4));
}

TEST_CASE("a shutdown refuses and ends all of a pool", "[pool]") {
  pool_meeting m;
  auto& host = m.enlist(1, 1);
  auto& client = m.enter(2, role::client);
  auto& channel = m.open_next(host, 2);
  check_bound(client, channel);
  auto& waiting = m.enter(3, role::client);
  CHECK(m.claim_for(4, role::client).why == refusal::none);
  m.tell(m.admission, atom::shutdown::value);
  CHECK(host.actor.take<atom::end, end_reason>() == end_reason::shutting_down);
  for (auto* x : {&client, &channel, &waiting, &m.join(4, role::client)})
    check_told_to_end(*x, end_reason::shutting_down);
  CHECK(m.claim_for(5, role::client).why == refusal::draining);
}
