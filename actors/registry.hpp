/// The extensions that a config file can name.
#pragma once

#include "actors/extension_actor.hpp"

#include <map>
#include <string>

namespace tandem {

/// Spawns an extension. Spawn it detached: then it has a thread of its own, and delays nobody
/// whatever it does.
using extension_factory = extension_actor (*)(caf::actor_system& system);

using extension_registry = std::map<std::string, extension_factory, std::less<>>;

/// The extensions that come with tandem.
const extension_registry& built_in_extensions();

} // namespace tandem
