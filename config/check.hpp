/// The strict check: what a config file and a command line say, against the table of options.
#pragma once

#include "config/options.hpp"
#include "config/problem.hpp"
#include "config/route_section.hpp"
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

struct ini_document;
struct ini_entry;

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

  // What no option can check alone, after everything is read:

  /// Completes the routes by the global options, and checks that each makes sense, and that no path
  /// fits two roles or two routes. Comes before the other checks.
  void check_routes();

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

  /// The global options and those of sections, or the ones of a route.
  struct scope {
    /// Empty for the global ones.
    std::string route = {};
    /// The header of the route's section.
    place header = {};
    std::map<const option*, place> places = {};
    /// What was accepted for a route.
    std::vector<std::pair<const option*, value>> values = {};
  };

  /// A path of a route.
  struct route_path {
    const scope* owner;
    const option* row;
    std::string_view pattern;
  };

  void note_routes(const ini_document& document, const std::string& file);
  void read_entry(const ini_entry& entry, const std::string& file);
  scope* scope_of(const std::optional<route_section>& section);
  void set(scope& to, const option& row, const value& x, place where);
  void report(const scope& in, const option& row, const place& where, std::string message);
  void report(const scope& in, const option& row, std::string message);
  void report(std::string_view name, std::string message);
  const place& place_of(const scope& in, const option& row) const;
  bool was_set(const scope& in, const option& row) const;
  bool was_refused(const scope& in, const option& row) const;
  bool was_refused(const option& row) const { return was_refused(global_, row); }

  void complete_routes();
  std::vector<const scope*> scopes_of_routes() const;
  void check_paths(const std::vector<route>& routes);
  void report_common_path(route_path late, route_path early, const std::string& path);
  void check_modes(const scope& in, const route& what);
  void check_loss(const scope& in, const route& what);

  settings values_;
  scope global_;
  /// By their sections' order in the file.
  std::vector<scope> routes_;
  std::vector<problem> problems_;
};

/// "; did you mean X?" with the option's full name and `prefix` before it, if one is like `name`;
/// otherwise empty.
std::string suggest_option(std::string_view name, std::string_view prefix,
                           std::span<const std::string_view> others = {});

} // namespace tandem::config
