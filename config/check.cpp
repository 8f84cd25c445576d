#include "config/check.hpp"

#include "config/assign.hpp"
#include "config/endpoint.hpp"
#include "config/ini.hpp"
#include "config/nearest.hpp"
#include "config/route_section.hpp"
#include "config/text.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace tandem::config {

namespace {

/// Nobody reads on, and a file that isn't a config file has thousands.
constexpr size_t max_problems = 100;

/// Each path is compared with each.
constexpr size_t max_routes = 1000;

std::string in_section(std::string_view section) {
  return section.empty() ? "among the global options, above the first [SECTION] or below [global]"
                         : "in the section [" + std::string{section} + "]";
}

std::string did_you_mean(std::string_view name) {
  return "; did you mean " + std::string{name} + "?";
}

std::string it_is_a_section(std::string_view name) {
  return "; it is a section: write [" + std::string{name} + "], and its options below";
}

/// What to write instead of the unknown `key`.
std::string advice(std::string_view section, std::string_view key) {
  if (section == "route")
    return "; a route has a name: write [route.NAME], and its options below";
  if (section.empty() && is_section(key))
    return it_is_a_section(key == "route" ? "route.NAME" : key);
  std::vector<std::string_view> here;
  std::vector<std::string_view> elsewhere;
  for (const auto& row : options())
    (row.section() == section ? here : elsewhere).push_back(row.key());
  auto meant = std::ranges::find(options(), key, &option::key);
  if (meant != options().end())
    return "; it belongs " + in_section(meant->section());
  if (auto found = nearest(key, here))
    return did_you_mean(*found);
  if (auto found = nearest(key, elsewhere)) {
    auto home = std::ranges::find(options(), *found, &option::key)->section();
    return did_you_mean(std::string{*found} + ", " + in_section(home));
  }
  return {};
}

/// The same for a `key` in a section of a route.
std::string advice_in_route(const route_section& where, std::string_view key) {
  const auto route = name_of_route_section(where.route);
  const auto section_of = [&](const option& row) {
    return row.section().empty() ? route : full_name(route, row.section());
  };
  if (where.section.empty() && is_section(full_name(route, key)))
    return it_is_a_section(full_name(route, key));
  std::vector<std::string_view> here;
  for (const auto& row : options())
    if (row.is_by_route() && row.section() == where.section)
      here.push_back(row.key());
  for (const auto& row : options())
    if (row.is_by_route() && row.key() == key)
      return "; it belongs " + in_section(section_of(row));
  auto meant = std::ranges::find(options(), key, &option::key);
  if (meant != options().end())
    return "; it is the whole broker's, and belongs " + in_section(meant->section());
  auto found = nearest(key, here);
  return found ? did_you_mean(*found) : "";
}

std::string unknown_section(std::string_view name) {
  const auto route = parse_route_section(name);
  if (const auto* row = find_option(route ? route->section : name))
    return "is an option, not a section; takes " + accepted_with_example(*row);
  return "unknown section" + suggest_section(name);
}

/// The option that an entry of this full name sets; null if there is none.
const option* find_entry(std::string_view name) {
  const auto route = parse_route_section(name);
  return find_option(route ? route->section : name);
}

std::vector<problem> problems_of_syntax(const ini_document& document, std::string_view file) {
  std::vector<problem> result;
  for (const auto& [line, column, key, message] : document.faults) {
    const auto* row = find_entry(key);
    auto text = row ? message + "; takes " + accepted_with_example(*row) : message;
    result.push_back({std::string{file}, line, column, printable(key), std::move(text)});
  }
  return result;
}

std::vector<problem> problems_of_sections(const ini_document& document, std::string_view file) {
  std::vector<problem> result;
  for (const auto& [name, line] : document.sections) {
    // What is within an unknown section needs no problem of its own.
    auto outer = name.substr(0, name.find('.') == std::string::npos ? 0 : name.rfind('.'));
    if (!is_section(name) && is_section(outer))
      result.push_back(
          {std::string{file}, line, 0, "[" + printable(name) + "]", unknown_section(name)});
  }
  return result;
}

} // namespace

void draft::read_file(std::string_view text, std::string_view name) {
  auto document = parse_ini(text);
  auto file = std::string{name};
  problems_ = problems_of_syntax(document, name);
  auto unknown = problems_of_sections(document, name);
  problems_.insert(problems_.end(), unknown.begin(), unknown.end());
  note_routes(document, file);
  for (const auto& entry : document.entries)
    if (is_section(entry.section))
      read_entry(entry, file);
  std::ranges::stable_sort(problems_, {}, &problem::line);
  if (problems_.size() > max_problems) {
    problems_.resize(max_problems);
    problems_.push_back({file, 0, 0, {}, "there are more problems, which aren't shown"});
  }
}

/// Has a scope for each route that has a section.
void draft::note_routes(const ini_document& document, const std::string& file) {
  std::set<std::string_view> known;
  for (const auto& [name, line] : document.sections) {
    auto section = parse_route_section(name);
    if (!section || !known.insert(section->route).second)
      continue;
    if (known.size() > max_routes) {
      problems_.push_back({file, line, 0, "[" + printable(name) + "]",
                           "there are more than " + std::to_string(max_routes) + " routes"});
      return;
    }
    routes_.push_back({std::string{section->route}, {file, line}});
  }
}

/// Where an entry of a section belongs; null for a route beyond max_routes.
draft::scope* draft::scope_of(const std::optional<route_section>& section) {
  if (!section)
    return &global_;
  auto found = std::ranges::find(routes_, section->route, &scope::route);
  return found == routes_.end() ? nullptr : &*found;
}

void draft::read_entry(const ini_entry& entry, const std::string& file) {
  const auto name = full_name(entry.section, entry.key);
  const auto section = parse_route_section(entry.section);
  auto* to = scope_of(section);
  if (to == nullptr)
    return;
  const auto* row = find_entry(name);
  if (row == nullptr || (section && !row->is_by_route()))
    problems_.push_back({file, entry.line, 0, printable(name),
                         "unknown option" + (section ? advice_in_route(*section, entry.key)
                                                     : advice(entry.section, entry.key))});
  else if (auto before = to->places.find(row); before != to->places.end())
    problems_.push_back(
        {file, entry.line, 0, name,
         "is set for the second time, after line " + std::to_string(before->second.line)});
  else
    set(*to, *row, entry.content, {file, entry.line});
}

void draft::read_argument(const option& row, const value& x) {
  set(global_, row, x, {});
}

void draft::set(scope& to, const option& row, const value& x, place where) {
  // A route's own values are put in place once all global ones are known.
  auto unused = settings{};
  auto faults = assign(row, x, &to == &global_ ? values_ : unused);
  where.accepted = faults.empty();
  to.places[&row] = where;
  if (where.accepted && &to != &global_)
    to.values.emplace_back(&row, x);
  for (auto& [line, message] : faults)
    report(to, row, {where.source, line}, std::move(message));
}

// -- where --------------------------------------------------------------------

void draft::report(const scope& in, const option& row, const place& where, std::string message) {
  auto name = std::string{row.name};
  if (!in.route.empty())
    name = full_name(name_of_route_section(in.route), name);
  problems_.push_back(
      {where.source, where.line, 0, where.source.empty() ? "--" + name : name, std::move(message)});
}

void draft::report(const scope& in, const option& row, std::string message) {
  report(in, row, place_of(in, row), std::move(message));
}

void draft::report(std::string_view name, std::string message) {
  report(global_, *find_option(name), std::move(message));
}

/// What a problem with this option points to: where it is set, or else the route that has it from
/// the global options.
const draft::place& draft::place_of(const scope& in, const option& row) const {
  auto found = in.places.find(&row);
  return found == in.places.end() ? in.header : found->second;
}

bool draft::was_set(const scope& in, const option& row) const {
  return in.places.contains(&row);
}

bool draft::was_refused(const scope& in, const option& row) const {
  auto found = in.places.find(&row);
  if (found == in.places.end() && &in != &global_)
    return was_refused(global_, row);
  return found != in.places.end() && !found->second.accepted;
}

// -- checks -------------------------------------------------------------------

void draft::check_proxies() {
  const auto* trusted = find_option("trusted-proxies");
  auto asking = std::ranges::find_if(values_.listen, &endpoint::proxy_protocol);
  if (asking == values_.listen.end() || !values_.trusted_proxies.empty() || was_refused(*trusted))
    return;
  report("listen", quoted(to_string(*asking)) +
                       " lets nobody in: set trusted-proxies to the addresses of the proxies that "
                       "may send a PROXY header");
}

void draft::check_tls(const tls_probe& probe) {
  const auto& certificates = values_.tls_certificates;
  const auto& keys = values_.tls_private_keys;
  const auto before = problems_.size();
  for (const auto& row : options())
    if (row.section() == "tls" && was_refused(row))
      return;
  for (const auto& listener : values_.listen) {
    const auto demand = listener.client_certificates.value_or(values_.tls_client_certificates);
    if (listener.tls && certificates.empty())
      report("listen", quoted(to_string(listener)) +
                           " has no certificate to show: set tls.certificates and "
                           "tls.private-keys");
    else if (listener.tls && demand != certificate_demand::off && values_.tls_client_ca.empty())
      report(listener.client_certificates ? "listen" : "tls.client-certificates",
             quoted(to_string(listener)) +
                 " asks for certificates: set tls.client-ca to the authorities that sign them");
  }
  if (!keys.empty() && keys.size() != certificates.size())
    report("tls.private-keys", "has " + std::to_string(keys.size()) + " names for the " +
                                   std::to_string(certificates.size()) +
                                   " of tls.certificates; takes one for each, in the same order");
  // The files of settings that are at fault already may not be what they will be.
  if (problems_.size() != before || certificates.empty() || !probe)
    return;
  if (auto fault = probe(values_))
    report(fault->first, std::move(fault->second));
}

void draft::check_extensions(std::span<const std::string> known) {
  const std::vector<std::string_view> names(known.begin(), known.end());
  for (const auto& name : values_.extensions) {
    if (std::ranges::count(names, name) != 0)
      continue;
    auto found = nearest(name, names);
    report("extensions", "there is no actor type " + quoted(printable(name)) +
                             (found ? did_you_mean(quoted(*found)) : ""));
  }
}

std::string suggest_option(std::string_view name, std::string_view prefix,
                           std::span<const std::string_view> others) {
  std::vector<std::string_view> names(others.begin(), others.end());
  for (const auto& row : options()) {
    if (row.key() == name)
      return did_you_mean(std::string{prefix}.append(row.name));
    names.push_back(row.name);
  }
  auto found = nearest(name, names);
  return found ? did_you_mean(std::string{prefix}.append(*found)) : std::string{};
}

} // namespace tandem::config
