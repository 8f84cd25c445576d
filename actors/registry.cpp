#include "actors/registry.hpp"

#include "actors/audit.hpp"

#include <caf/actor_system.hpp>

namespace tandem {

const extension_registry& built_in_extensions() {
  // To add an extension, add a line.
  static const extension_registry all{
      {"audit", [](caf::actor_system& system) { return system.spawn<caf::detached>(audit); }},
  };
  return all;
}

} // namespace tandem
