// What clients are told of their place in the queue.
#include "support/pool_meeting.hpp"

using namespace tandem;
using namespace tandem::test;
using namespace std::chrono_literals;

namespace {

constexpr auto interval = 500ms;

/// What it was told since the last look, and nothing else.
std::vector<uint32_t> places(meeting::guest& who) {
  std::vector<uint32_t> told;
  while (!who.actor.empty())
    told.push_back(who.actor.take<atom::position, uint32_t>());
  return told;
}

using list = std::vector<uint32_t>;

struct queue : pool_meeting {
  queue() : pool_meeting{{.max_waiting = 100'000}} {}

  guest& wait(uint64_t id) {
    REQUIRE(claim_for(id, role::client).why == refusal::none);
    return join_framed(id);
  }

  /// Has a worker take whoever is first.
  void serve_one() { enter(next_worker++, role::worker); }

  uint64_t next_worker = 50'000;
};

} // namespace

TEST_CASE("a framed client is told its place at once, and when it changes", "[pool]") {
  queue q;
  q.enter(1, role::client);
  auto& framed = q.wait(2);
  CHECK(places(framed) == list{2});
  q.w.advance(10s);
  CHECK(places(framed).empty());
  q.serve_one();
  CHECK(places(framed) == list{1});
  CHECK(q.guests.at(1).actor.size() == 1);
  q.serve_one();
  CHECK(framed.actor.take<atom::bind, peer_ref>().who->side == role::worker);
  q.w.advance(10s);
  CHECK(framed.actor.empty());
}

TEST_CASE("places that change often are told now and then", "[pool]") {
  queue q;
  for (uint64_t id = 1; id <= 9; ++id)
    q.enter(id, role::client);
  auto& framed = q.wait(10);
  CHECK(places(framed) == list{10});
  for (int i = 0; i < 4; ++i)
    q.serve_one();
  CHECK(places(framed).empty());
  q.w.advance(interval - 1ms);
  CHECK(places(framed).empty());
  q.w.advance(1ms);
  CHECK(places(framed) == list{6});
}

TEST_CASE("one that is served or gone before it was told isn't told", "[pool]") {
  queue q;
  auto& first = q.wait(1);
  auto& second = q.wait(2);
  auto& third = q.wait(3);
  CHECK(places(first) == list{1});
  q.leave(second);
  q.serve_one();
  q.w.advance(interval);
  CHECK(places(second).empty());
  CHECK(places(third) == list{1});
}

TEST_CASE("who overtakes by its priority moves the others back", "[pool]") {
  queue q;
  auto& framed = q.wait(1);
  CHECK(places(framed) == list{1});
  claim urgent{.ticket = 2, .key = "key"};
  urgent.priority = 1;
  CHECK(q.ask(urgent).why == refusal::none);
  q.w.advance(interval);
  CHECK(places(framed) == list{2});
}

TEST_CASE("the more clients wait, the fewer changes each is told", "[pool]") {
  queue q;
  constexpr uint64_t crowd = 2000;
  for (uint64_t id = 1; id <= crowd; ++id)
    q.wait(id);
  q.w.advance(interval);
  for (auto& [id, who] : q.guests)
    places(who);
  // One leaves between any two tellings.
  for (uint64_t id = 1; id < crowd; ++id) {
    q.leave(q.guests.at(id));
    q.w.advance(interval / 100);
  }
  q.w.advance(interval);
  size_t told = 0;
  for (auto& [id, who] : q.guests) {
    auto heard = places(who);
    CHECK(std::ranges::is_sorted(heard, std::greater{}));
    told += heard.size();
  }
  // If each departure were told to all who are behind, it would be a thousand times as much.
  CHECK(told < crowd * 30);
  CHECK(told > crowd);
}
