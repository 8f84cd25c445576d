/// The sections that a config file may have: those of options, and those of routes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tandem::config {

/// [route.NAME], or [route.NAME.SECTION] for the route's own options of a section.
struct route_section {
  std::string_view route;
  /// Empty for the global one.
  std::string_view section;
};

/// The section `name` as one of a route, whatever comes behind the route's name; nothing if it is
/// none. `name` outlives the result.
std::optional<route_section> parse_route_section(std::string_view name);

/// "route.NAME"
std::string name_of_route_section(std::string_view route);

/// Whether a config file may have a section of this name; empty is the global one.
bool is_section(std::string_view name);

/// "; did you mean [NAME]?", if a section is like `name`, which is none; otherwise empty.
std::string suggest_section(std::string_view name);

} // namespace tandem::config
