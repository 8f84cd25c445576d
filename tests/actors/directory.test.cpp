#include "actors/directory.hpp"

#include "support/probe.hpp"

#include <set>
#include <string>
#include <vector>

using namespace tandem;
using namespace tandem::test;

TEST_CASE("an actor is found once it is published", "[directory]") {
  world w;
  probe pairing{w};
  probe heartbeats[2] = {probe{w}, probe{w}};
  CHECK_FALSE(directory::find_pairing(w.system(), 0));
  CHECK_FALSE(directory::find_heartbeat(w.system(), 0));
  directory::publish(w.system(), {pairing.as<pairing_actor>()});
  for (size_t i : {0, 1})
    directory::publish(w.system(), i, heartbeats[i].as<heartbeat_actor>());
  CHECK(directory::find_pairing(w.system(), 0) == pairing.as<pairing_actor>());
  for (size_t i : {0, 1})
    CHECK(directory::find_heartbeat(w.system(), i) == heartbeats[i].as<heartbeat_actor>());
  CHECK_FALSE(directory::find_heartbeat(w.system(), 2));
}

TEST_CASE("a new actor takes over the old one's name", "[directory]") {
  world w;
  probe first{w};
  probe second{w};
  for (const auto& x : {first, second}) {
    directory::publish(w.system(), {x.as<pairing_actor>()});
    directory::publish(w.system(), 0, x.as<heartbeat_actor>());
  }
  CHECK(directory::find_pairing(w.system(), 0) == second.as<pairing_actor>());
  CHECK(directory::find_heartbeat(w.system(), 0) == second.as<heartbeat_actor>());
}

TEST_CASE("a key of a route always belongs to the same shard, and keys spread", "[directory]") {
  constexpr size_t count = 4;
  world w;
  std::vector<probe> actors;
  std::vector<pairing_actor> shards;
  for (size_t i = 0; i < count; ++i)
    shards.push_back(actors.emplace_back(w).as<pairing_actor>());
  directory::publish(w.system(), shards);
  std::vector<int> keys(count);
  for (int i = 0; i < 1000; ++i) {
    const auto key = "key-" + std::to_string(i);
    const auto shard = directory::find_shard(w.system(), 3, key);
    CHECK(shard == directory::find_shard(w.system(), 3, key));
    CHECK(directory::find_pairing(w.system(), 3, key) == shards.at(shard));
    ++keys[shard];
  }
  for (auto n : keys)
    CHECK(n > 200);
  // The same key of several routes, too.
  std::set<size_t> seen;
  for (uint16_t route = 0; route < 100; ++route)
    seen.insert(directory::find_shard(w.system(), route, "key"));
  CHECK(seen.size() == count);

  shards[2] = actors.emplace_back(w).as<pairing_actor>();
  directory::publish(w.system(), shards);
  CHECK(directory::find_pairing(w.system(), 2) == shards[2]);
  CHECK(directory::find_pairing(w.system(), 1) == shards[1]);
  directory::clear(w.system(), 0);
  for (size_t i = 0; i < count; ++i)
    CHECK_FALSE(directory::find_pairing(w.system(), i));
}

TEST_CASE("a directory that is cleared knows nobody", "[directory]") {
  world w;
  probe x{w};
  directory::publish(w.system(), {x.as<pairing_actor>()});
  directory::publish(w.system(), 0, x.as<heartbeat_actor>());
  directory::publish(w.system(), 12, x.as<heartbeat_actor>());
  directory::clear(w.system(), 13);
  CHECK_FALSE(directory::find_pairing(w.system(), 0));
  CHECK_FALSE(directory::find_heartbeat(w.system(), 0));
  CHECK_FALSE(directory::find_heartbeat(w.system(), 12));
}
