#include "config/assign.hpp"

#include "config/endpoint.hpp"
#include "config/network.hpp"
#include "config/path_pattern.hpp"
#include "config/problem.hpp"
#include "config/request_value.hpp"
#include "config/text.hpp"
#include "config/units.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

namespace tandem::config {

namespace {

/// Far more than anybody needs, and few enough to compare each with each.
constexpr size_t max_list = 256;

using faults = std::vector<value_fault>;

faults wrong_type(const option& row, const value& x) {
  return {{x.line, "takes " + accepted_with_example(row) + ", but this is " + describe(x)}};
}

faults not_accepted(const option& row, const value& x, std::string_view why) {
  auto message = printable(x.text).append(" ").append(why);
  return {{x.line, message.append("; takes ").append(accepted_with_example(row))}};
}

std::optional<caf::timespan> to_duration(const value& x) noexcept {
  if (const auto* span = std::get_if<caf::timespan>(&x.data))
    return *span;
  if (const auto* text = std::get_if<std::string>(&x.data))
    return parse_duration(*text);
  const auto* number = std::get_if<int64_t>(&x.data);
  return number && *number == 0 ? std::optional{caf::timespan::zero()} : std::nullopt;
}

/// Numbers below 0 become the largest one, which no option accepts either.
std::optional<uint64_t> to_count(const value& x) noexcept {
  const auto* number = std::get_if<int64_t>(&x.data);
  if (!number)
    return std::nullopt;
  return *number < 0 ? std::numeric_limits<uint64_t>::max() : static_cast<uint64_t>(*number);
}

std::optional<uint64_t> to_size(const value& x) noexcept {
  const auto* text = std::get_if<std::string>(&x.data);
  return text ? parse_size(*text) : to_count(x);
}

const std::string* to_word(const value& x) noexcept {
  if (const auto* atom = std::get_if<value::atom>(&x.data))
    return &atom->name;
  return std::get_if<std::string>(&x.data);
}

std::string file_name_fault(std::string_view text) {
  return text.find('\0') == std::string_view::npos ? "" : "has a NUL, which no name of a file has";
}

/// Assigns `x` to the field of `row` in `to`, by the type of the option.
struct assigner {
  const option& row;
  const value& x;
  settings& to;

  faults operator()(const duration_option& type) const {
    auto span = to_duration(x);
    if (!span)
      return wrong_type(row, x);
    auto rounded = std::chrono::duration_cast<std::chrono::milliseconds>(*span);
    if (*span < type.accepted.most && *span != rounded)
      return not_accepted(row, x, "is no whole number of milliseconds");
    return set_within(type, rounded);
  }

  faults operator()(const size_option& type) const {
    auto bytes = to_size(x);
    return bytes ? set_within(type, *bytes) : wrong_type(row, x);
  }

  faults operator()(const count_option& type) const {
    auto count = to_count(x);
    return count ? set_within(type, *count) : wrong_type(row, x);
  }

  template <class Enum>
  faults operator()(const choice_option<Enum>& type) const {
    const auto* word = to_word(x);
    if (!word)
      return wrong_type(row, x);
    auto found = std::ranges::find(type.words, *word);
    if (found == type.words.end())
      return not_accepted(row, x, "is unknown");
    return set(type, static_cast<Enum>(found - type.words.begin()));
  }

  faults operator()(const path_option& type) const {
    const auto* text = std::get_if<std::string>(&x.data);
    if (!text)
      return wrong_type(row, x);
    if (auto why = pattern_fault(*text); !why.empty())
      return not_accepted(row, x, why);
    return set(type, *text);
  }

  faults operator()(const endpoints_option& type) const {
    std::vector<endpoint> endpoints;
    auto found = for_each_text([&](const std::string& text) -> std::string {
      auto parsed = parse_endpoint(text);
      if (const auto* why = std::get_if<std::string>(&parsed))
        return *why;
      auto& listener = std::get<endpoint>(parsed);
      // Port 0 is another port each time.
      if ((listener.is_unix() || listener.port != 0) &&
          std::ranges::any_of(endpoints, [&](const endpoint& x) {
            return x.address == listener.address && x.port == listener.port;
          }))
        return "is listed twice";
      endpoints.push_back(std::move(listener));
      return {};
    });
    if (found.empty() && endpoints.empty())
      return {{x.line, "is empty; takes " + accepted_with_example(row)}};
    return found.empty() ? set(type, std::move(endpoints)) : found;
  }

  faults operator()(const names_option& type) const {
    std::vector<std::string> names;
    auto found = for_each_text([&](const std::string& text) -> std::string {
      if (text.empty())
        return "is no name";
      if (type.tokens && !std::ranges::all_of(text, is_token_character))
        return "has a character that can't stand in a header's list";
      if (!type.reserved.empty() && text.starts_with(type.reserved))
        return "is a name of tandem's own, which it accepts by itself";
      if (std::ranges::count(names, text) != 0)
        return "is listed twice";
      names.push_back(text);
      return {};
    });
    return found.empty() ? set(type, std::move(names)) : found;
  }

  faults operator()(const file_option& type) const {
    const auto* text = std::get_if<std::string>(&x.data);
    if (!text)
      return wrong_type(row, x);
    if (auto why = file_name_fault(*text); !why.empty())
      return not_accepted(row, x, why);
    return set(type, *text);
  }

  faults operator()(const files_option& type) const {
    std::vector<std::string> names;
    auto found = for_each_text([&](const std::string& text) {
      names.push_back(text);
      return text.empty() ? "is no name of a file" : file_name_fault(text);
    });
    return found.empty() ? set(type, std::move(names)) : found;
  }

  faults operator()(const request_value_option& type) const {
    const auto* text = std::get_if<std::string>(&x.data);
    if (!text)
      return wrong_type(row, x);
    auto parsed = parse_request_value(*text, type.accepted);
    if (const auto* why = std::get_if<std::string>(&parsed))
      return not_accepted(row, x, *why);
    return set(type, std::get<request_value>(std::move(parsed)));
  }

  faults operator()(const networks_option& type) const {
    std::vector<network> networks;
    auto found = for_each_text([&](const std::string& text) -> std::string {
      auto parsed = parse_network(text);
      if (const auto* why = std::get_if<std::string>(&parsed))
        return *why;
      networks.push_back(std::move(std::get<network>(parsed)));
      return {};
    });
    return found.empty() ? set(type, std::move(networks)) : found;
  }

private:
  template <class Option, class T>
  faults set(const Option& type, T accepted) const {
    to.*type.member = std::move(accepted);
    return {};
  }

  template <class Option, class T>
  faults set_within(const Option& type, T number) const {
    if (auto why = number_fault(x); !why.empty())
      return not_accepted(row, x, why);
    return type.accepted.contain(number) ? set(type, number)
                                         : not_accepted(row, x, "is out of range");
  }

  /// Calls `take` with each text of a list. It returns what is wrong with the text, if anything is.
  template <class Take>
  faults for_each_text(Take take) const {
    const auto* list = std::get_if<value::list>(&x.data);
    if (!list)
      return wrong_type(row, x);
    if (list->size() > max_list)
      return {{x.line, "has more than " + std::to_string(max_list) + " values"}};
    faults result;
    for (const auto& item : *list) {
      const auto* text = std::get_if<std::string>(&item.data);
      if (!text)
        result.push_back({item.line, describe(item) + " is no text in double quotes"});
      else if (auto why = take(*text); !why.empty())
        result.push_back(
            {item.line, (item.text.empty() ? "nothing" : printable(item.text)) + " " + why});
    }
    return result;
  }
};

} // namespace

std::vector<value_fault> assign(const option& row, const value& x, settings& to) {
  return std::visit(assigner{row, x, to}, row.type);
}

} // namespace tandem::config
