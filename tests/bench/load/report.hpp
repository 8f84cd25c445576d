/// A run's result, for people and for programs.
#pragma once

#include "tests/bench/load/conductor.hpp"

#include <nlohmann/json.hpp>

#include <string>

namespace tandem::bench {

/// For people: some ten lines.
std::string summary(const plan& run, const report& result);

/// For programs: one object, described in tests/bench/README.md.
nlohmann::ordered_json to_json(const plan& run, const report& result);

} // namespace tandem::bench
