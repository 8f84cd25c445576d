/// The config of an actor system whose scheduler has no threads: those of CAF's stock one are
/// compiled into Debian's library, where ThreadSanitizer can't see what they agree on.
#pragma once

#include <caf/actor_system_config.hpp>
#include <caf/atom.hpp>

namespace tandem::net {

struct idle_config : caf::actor_system_config {
  idle_config() { set("scheduler.policy", caf::atom("testing")); }
};

} // namespace tandem::net
