#include "config/assign.hpp"
#include "config/check.hpp"
#include "config/path_pattern.hpp"
#include "config/text.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace tandem::config {

namespace {

/// Nobody reads on.
constexpr int max_overlaps = 20;

const option& row_of(std::string_view name) {
  return *find_option(name);
}

std::string name_of(std::string_view route, const option& row) {
  return route.empty() ? std::string{row.name}
                       : name_of_route_section(route).append(".").append(row.name);
}

} // namespace

void draft::check_routes() {
  complete_routes();
  const auto routes = values_.routes();
  const auto scopes = scopes_of_routes();
  check_paths(routes);
  for (size_t i = 0; i < routes.size(); ++i) {
    if (was_refused(*scopes[i], row_of("mode")))
      continue;
    check_modes(*scopes[i], routes[i]);
    check_loss(*scopes[i], routes[i]);
  }
}

void draft::complete_routes() {
  values_.named_routes.clear();
  const auto global = values_;
  for (const auto& scope : routes_) {
    auto own = global;
    // They were accepted before.
    for (const auto& [row, x] : scope.values)
      std::ignore = assign(*row, x, own);
    auto compression =
        was_set(scope, row_of("compression.mode")) ? std::optional{own.compression} : std::nullopt;
    values_.named_routes.push_back(
        {scope.route, static_cast<const route_settings&>(own), compression});
  }
}

std::vector<const draft::scope*> draft::scopes_of_routes() const {
  std::vector<const scope*> result;
  for (const auto& scope : routes_)
    result.push_back(&scope);
  if (result.empty())
    result.push_back(&global_);
  return result;
}

// -- paths --------------------------------------------------------------------

void draft::check_paths(const std::vector<route>& routes) {
  const auto scopes = scopes_of_routes();
  std::vector<route_path> paths;
  for (size_t i = 0; i < routes.size(); ++i) {
    const auto& own = routes[i].own;
    for (auto [name, pattern] :
         {std::pair{"client-path", &own.client_path}, std::pair{"worker-path", &own.worker_path}})
      if (const auto& row = row_of(name); !was_refused(*scopes[i], row))
        paths.push_back({scopes[i], &row, *pattern});
  }
  int overlaps = 0;
  for (auto late = paths.begin(); late != paths.end() && overlaps < max_overlaps; ++late)
    for (auto early = paths.begin(); early != late; ++early)
      if (auto path = common_path(late->pattern, early->pattern)) {
        report_common_path(*late, *early, *path);
        ++overlaps;
        break;
      }
}

void draft::report_common_path(route_path late, route_path early, const std::string& path) {
  // At fault is what was set; the defaults get along.
  if (late.owner == early.owner && !was_set(*late.owner, *late.row))
    std::swap(late, early);
  const auto line = place_of(*early.owner, *early.row).line;
  const bool named = !early.owner->route.empty();
  report(*late.owner, *late.row,
         path + " would fit both " + quoted(late.pattern) + " and " +
             name_of(early.owner->route, *early.row) + ", which is " + quoted(early.pattern) +
             (named ? " (line " + std::to_string(line) + ")" : ""));
}

// -- modes and policies -------------------------------------------------------

void draft::check_modes(const scope& in, const route& what) {
  const auto& own = what.own;
  const auto mode = show(row_of("mode"), settings_for(values_, what));
  if (&in != &global_)
    for (const auto& [row, where] : in.places)
      if (!row->by_route.contain(own.mode))
        report(in, *row,
               "has no meaning with mode = " + mode + "; it is for mode = " + show(row->by_route));
  const auto& select = row_of("select");
  const auto& sticky_by = row_of("sticky-by");
  if (own.mode == pairing_mode::pool && own.select == selection::sticky &&
      own.sticky_by.in == request_part::none && !was_refused(in, sticky_by))
    report(in, select,
           R"("sticky" goes by sticky-by, which isn't set; takes )" +
               accepted_with_example(sticky_by));
}

void draft::check_loss(const scope& in, const route& what) {
  const auto& loss = row_of("on-peer-loss");
  if (!was_refused(in, loss) && what.own.on_peer_loss == loss_policy::rematch &&
      what.own.mode == pairing_mode::exclusive)
    report(in, loss,
           R"("rematch" has no meaning with mode = "exclusive"; it is for mode = )" +
               show({.pool = true, .shared = true}));
}

} // namespace tandem::config
