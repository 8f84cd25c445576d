/// The whole program, for main and for tests that bring extensions of their own.
#pragma once

#include "actors/registry.hpp"

namespace tandem {

/// Reads the command line and the config file, runs the broker until a signal ends it, and returns
/// main's exit code: 0 after a shutdown in order, 1 if it couldn't run, 2 if the command line or
/// the config file is wrong.
int run_broker(int argc, char** argv, const extension_registry& extensions);

} // namespace tandem
