#include "actors/directory.hpp"

#include "support/probe.hpp"

using namespace tandem;
using namespace tandem::test;

TEST_CASE("an actor is found once it is published", "[directory]") {
  world w;
  probe pairing{w};
  probe heartbeats[2] = {probe{w}, probe{w}};
  CHECK_FALSE(directory::find_pairing(w.system()));
  CHECK_FALSE(directory::find_heartbeat(w.system(), 0));
  directory::publish(w.system(), pairing.as<pairing_actor>());
  for (size_t i : {0, 1})
    directory::publish(w.system(), i, heartbeats[i].as<heartbeat_actor>());
  CHECK(directory::find_pairing(w.system()) == pairing.as<pairing_actor>());
  for (size_t i : {0, 1})
    CHECK(directory::find_heartbeat(w.system(), i) == heartbeats[i].as<heartbeat_actor>());
  CHECK_FALSE(directory::find_heartbeat(w.system(), 2));
}

TEST_CASE("a new actor takes over the old one's name", "[directory]") {
  world w;
  probe first{w};
  probe second{w};
  for (const auto& x : {first, second}) {
    directory::publish(w.system(), x.as<pairing_actor>());
    directory::publish(w.system(), 0, x.as<heartbeat_actor>());
  }
  CHECK(directory::find_pairing(w.system()) == second.as<pairing_actor>());
  CHECK(directory::find_heartbeat(w.system(), 0) == second.as<heartbeat_actor>());
}

TEST_CASE("a directory that is cleared knows nobody", "[directory]") {
  world w;
  probe x{w};
  directory::publish(w.system(), x.as<pairing_actor>());
  directory::publish(w.system(), 0, x.as<heartbeat_actor>());
  directory::publish(w.system(), 12, x.as<heartbeat_actor>());
  directory::clear(w.system(), 13);
  CHECK_FALSE(directory::find_pairing(w.system()));
  CHECK_FALSE(directory::find_heartbeat(w.system(), 0));
  CHECK_FALSE(directory::find_heartbeat(w.system(), 12));
}
