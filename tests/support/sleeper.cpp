// A broker with one more extension, which sleeps in its handlers: the worst that an extension can
// do.

#include "actors/broker.hpp"
#include "actors/messages.hpp"

#include <caf/actor_system.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <chrono>
#include <thread>

namespace {

tandem::extension_actor::behavior_type sleeper(tandem::extension_actor::pointer) {
  return {
      [](const tandem::connected&) { std::this_thread::sleep_for(std::chrono::seconds{10}); },
      [](const tandem::paired&) {},
      [](const tandem::unpaired&) {},
      [](const tandem::disconnected&) {},
  };
}

} // namespace

int main(int argc, char** argv) {
  auto extensions = tandem::built_in_extensions();
  extensions.emplace(
      "sleeper", [](caf::actor_system& system) { return system.spawn<caf::detached>(sleeper); });
  return tandem::run_broker(argc, argv, extensions);
}
