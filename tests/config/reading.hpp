/// What a text says as a config file: for tests.
#pragma once

#include "config/load.hpp"

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace tandem::config {

struct reading {
  config::settings settings;
  /// "LINE: KEY: MESSAGE"
  std::vector<std::string> problems;
};

inline reading read_text(std::string_view text) {
  reading result;
  std::vector<problem> problems;
  const std::string name = "file:";
  read(text, "file", result.settings, problems);
  for (const auto& x : problems)
    result.problems.push_back(to_string(x).substr(name.size()));
  return result;
}

using strings = std::vector<std::string>;

} // namespace tandem::config
