/// The command line, as far as it can be read without a config file.
#pragma once

#include "config/options.hpp"
#include "config/problem.hpp"
#include "config/value.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tandem::config {

/// What tandem is started for. Of several, the last one in this order counts.
enum class action {
  run,
  /// Check the configuration and tell the outcome.
  check,
  /// Print the configuration in effect.
  dump,
  version,
  help,
};

/// A flag that isn't an option of the config file.
struct flag {
  std::string_view name;
  /// What stands for its value in the help text; empty if it takes none.
  std::string_view value;
  std::string_view help;
  /// What it asks for; nothing if it takes a value.
  action what = action::run;
};

/// All such flags.
std::span<const flag> flags();

struct command_line {
  action what = action::run;
  std::optional<std::string> config_file;
  /// An entry per option that is given; one that is given repeatedly has the last value, or all
  /// parts of its list.
  std::vector<std::pair<const option*, value>> values;
  std::vector<problem> problems;
};

/// Reads `arguments`, which don't begin with the program's name. Never throws for what they hold.
command_line parse_arguments(std::span<const std::string> arguments);

} // namespace tandem::config
