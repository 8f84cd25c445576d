#include "config/route_section.hpp"

#include "config/nearest.hpp"
#include "config/options.hpp"

#include <algorithm>

namespace tandem::config {

namespace {

constexpr std::string_view all_routes = "route";

bool has_options_of_routes(std::string_view section) {
  return std::ranges::any_of(
      options(), [&](const option& row) { return row.is_by_route() && row.section() == section; });
}

std::string did_you_mean(std::string_view section) {
  return "; did you mean [" + std::string{section} + "]?";
}

} // namespace

std::optional<route_section> parse_route_section(std::string_view name) {
  if (!name.starts_with(all_routes) || name.size() < all_routes.size() + 2 ||
      name[all_routes.size()] != '.')
    return std::nullopt;
  name.remove_prefix(all_routes.size() + 1);
  auto dot = std::min(name.find('.'), name.size());
  return route_section{name.substr(0, dot), name.substr(std::min(dot + 1, name.size()))};
}

std::string name_of_route_section(std::string_view route) {
  return std::string{all_routes}.append(".").append(route);
}

bool is_section(std::string_view name) {
  if (auto route = parse_route_section(name))
    return route->section.empty() || has_options_of_routes(route->section);
  return name.empty() || name == all_routes || std::ranges::count(sections(), name) != 0;
}

std::string suggest_section(std::string_view name) {
  if (auto route = parse_route_section(name)) {
    std::vector<std::string_view> candidates;
    for (auto section : sections())
      if (has_options_of_routes(section))
        candidates.push_back(section);
    auto found = nearest(route->section, candidates);
    return found ? did_you_mean(name_of_route_section(route->route) + "." + std::string{*found})
                 : "";
  }
  auto candidates = sections();
  candidates.push_back(all_routes);
  auto found = nearest(name, candidates);
  if (found == all_routes)
    return did_you_mean("route.NAME");
  return found ? did_you_mean(*found) : "";
}

} // namespace tandem::config
