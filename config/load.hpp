/// From the command line and a config file to settings: what main begins with.
#pragma once

#include "config/arguments.hpp"
#include "config/check.hpp"
#include "config/problem.hpp"
#include "config/settings.hpp"

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tandem::config {

/// What `load` takes for granted.
struct surroundings {
  /// Where to look for `tandem.conf`, in this order, if the command line names no file. The empty
  /// one is the working directory.
  std::vector<std::filesystem::path> directories = {"", "/etc/tandem"};
  /// The names that the option `extensions` may have.
  std::vector<std::string> extensions = {};
  /// Tries the files for TLS; null: they aren't tried.
  tls_probe tls = {};
};

/// What came of it.
struct outcome {
  action what = action::run;
  /// Meaningless if there are problems, and the defaults for `help` and `version`.
  config::settings settings;
  /// The file that was read, or should have been; none if there was none to be found, or it wasn't
  /// looked for.
  std::optional<std::filesystem::path> config_file;
  /// All that is wrong. None for `help` and `version`, which look no further.
  std::vector<problem> problems;
};

/// Reads `arguments`, which don't begin with the program's name, and the config file that they name
/// or that is found. The command line overrides the file, and the file the defaults. Faults of
/// either are problems in the outcome.
outcome load(std::span<const std::string> arguments, const surroundings& around = {});

/// Reads the text of a config file into `to`, which keeps what the text doesn't set; `name` stands
/// for the file in problems, which are appended. Any bytes will do. Names of extensions
/// and files aren't checked.
void read(std::string_view text, std::string_view name, settings& to,
          std::vector<problem>& problems);

} // namespace tandem::config
