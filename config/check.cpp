#include "config/check.hpp"

#include "config/assign.hpp"
#include "config/endpoint.hpp"
#include "config/ini.hpp"
#include "config/nearest.hpp"
#include "config/path_pattern.hpp"
#include "config/text.hpp"

#include <algorithm>
#include <utility>

namespace tandem::config {

namespace {

/// Nobody reads on, and a file that isn't a config file has thousands.
constexpr size_t max_problems = 100;

bool is_section(std::string_view name) {
  return name.empty() || std::ranges::count(sections(), name) != 0;
}

std::string in_section(std::string_view section) {
  return section.empty() ? "among the global options, above the first [SECTION] or below [global]"
                         : "in the section [" + std::string{section} + "]";
}

std::string did_you_mean(std::string_view name) {
  return "; did you mean " + std::string{name} + "?";
}

/// What to write instead of the unknown `key`.
std::string advice(std::string_view section, std::string_view key) {
  if (section.empty() && is_section(key))
    return "; it is a section: write [" + std::string{key} + "], and its options below";
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

std::string unknown_section(std::string_view name) {
  if (const auto* row = find_option(name))
    return "is an option, not a section; takes " + accepted_with_example(*row);
  auto found = nearest(name, sections());
  auto brackets = [](std::string_view x) { return "[" + std::string{x} + "]"; };
  return "unknown section" + (found ? did_you_mean(brackets(*found)) : std::string{});
}

std::vector<problem> problems_of_syntax(const ini_document& document, std::string_view file) {
  std::vector<problem> result;
  for (const auto& [line, column, key, message] : document.faults) {
    const auto* row = find_option(key);
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
  for (const auto& [section, key, content, line] : document.entries) {
    if (!is_section(section))
      continue;
    auto option_name = full_name(section, key);
    const auto* row = find_option(option_name);
    if (!row)
      problems_.push_back(
          {file, line, 0, printable(option_name), "unknown option" + advice(section, key)});
    else if (auto before = places_.find(row); before != places_.end())
      problems_.push_back(
          {file, line, 0, option_name,
           "is set for the second time, after line " + std::to_string(before->second.line)});
    else
      set(*row, content, {file, line});
  }
  std::ranges::stable_sort(problems_, {}, &problem::line);
  if (problems_.size() > max_problems) {
    problems_.resize(max_problems);
    problems_.push_back({file, 0, 0, {}, "there are more problems, which aren't shown"});
  }
}

void draft::read_argument(const option& row, const value& x) {
  set(row, x, {});
}

void draft::set(const option& row, const value& x, place where) {
  auto faults = assign(row, x, values_);
  where.accepted = faults.empty();
  places_[&row] = where;
  for (auto& [line, message] : faults)
    report(row, {where.source, line}, std::move(message));
}

void draft::report(const option& row, const place& where, std::string message) {
  auto name = std::string{row.name};
  problems_.push_back(
      {where.source, where.line, 0, where.source.empty() ? "--" + name : name, std::move(message)});
}

void draft::check_paths() {
  const auto* client = find_option("client-path");
  const auto* worker = find_option("worker-path");
  auto shared = common_path(values_.client_path, values_.worker_path);
  if (!shared || was_refused(*client) || was_refused(*worker))
    return;
  // At fault is what was set; the defaults get along.
  const auto* row = places_.contains(worker) ? worker : client;
  const auto* other = row == worker ? client : worker;
  report(*row, places_[row],
         *shared + " would fit both " + show(*row, values_) + " and " + std::string{other->name} +
             ", which is " + show(*other, values_));
}

void draft::check_proxies() {
  const auto* listen = find_option("listen");
  const auto* trusted = find_option("trusted-proxies");
  auto asking = std::ranges::find_if(values_.listen, &endpoint::proxy_protocol);
  if (asking == values_.listen.end() || !values_.trusted_proxies.empty() || was_refused(*trusted))
    return;
  report(*listen, places_[listen],
         quoted(to_string(*asking)) + " lets nobody in: set trusted-proxies to the addresses of "
                                      "the proxies that may send a PROXY header");
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

bool draft::was_refused(const option& row) const {
  auto found = places_.find(&row);
  return found != places_.end() && !found->second.accepted;
}

void draft::report(std::string_view name, std::string message) {
  const auto* row = find_option(name);
  report(*row, places_[row], std::move(message));
}

void draft::check_extensions(std::span<const std::string> known) {
  const auto* row = find_option("extensions");
  const std::vector<std::string_view> names(known.begin(), known.end());
  for (const auto& name : values_.extensions) {
    if (std::ranges::count(names, name) != 0)
      continue;
    auto found = nearest(name, names);
    report(*row, places_[row],
           "there is no actor type " + quoted(printable(name)) +
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
