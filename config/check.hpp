/// The strict check: what a config file and a command line say, against the table of options.
#pragma once

#include "config/options.hpp"
#include "config/problem.hpp"
#include "config/settings.hpp"
#include "config/value.hpp"

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tandem::config {

/// Says which option names a file that can't be used for TLS, and what is wrong with it; nothing if
/// none does.
using tls_probe =
    std::function<std::optional<std::pair<std::string_view, std::string>>(const settings&)>;

/// Settings in the making. What is read later overrides what was read before.
class draft {
public:
  explicit draft(settings start = {}) : values_(std::move(start)) {}

  /// Reads a config file's text; `name` is the file's name in problems.
  void read_file(std::string_view text, std::string_view name);

  /// Takes a value from the command line.
  void read_argument(const option& row, const value& x);

  /// Checks what no option can check alone, after everything is read: that no path fits both roles.
  void check_paths();

  /// Checks that someone may use each listener that asks for a PROXY header.
  void check_proxies();

  /// Checks that each listener with TLS has what it needs, and that the files are what they should
  /// be, by the word of `probe`.
  void check_tls(const tls_probe& probe);

  /// Checks that each extension is one of `known`.
  void check_extensions(std::span<const std::string> known);

  const settings& values() const noexcept { return values_; }

  /// Sorted by line within a file.
  std::vector<problem>& problems() noexcept { return problems_; }

private:
  /// Where an option was set.
  struct place {
    std::string source;
    int line = 0;
    bool accepted = true;
  };

  void set(const option& row, const value& x, place where);
  void report(const option& row, const place& where, std::string message);
  void report(std::string_view name, std::string message);
  bool was_refused(const option& row) const;

  settings values_;
  std::map<const option*, place> places_;
  std::vector<problem> problems_;
};

/// "; did you mean X?" with the option's full name and `prefix` before it, if one is like `name`;
/// otherwise empty.
std::string suggest_option(std::string_view name, std::string_view prefix,
                           std::span<const std::string_view> others = {});

} // namespace tandem::config
