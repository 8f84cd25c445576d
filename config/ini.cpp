#include "config/ini.hpp"

#include "config/ini_recorder.hpp"
#include "config/source_text.hpp"
#include "config/units.hpp"

#include <caf/atom.hpp>
#include <caf/detail/parser/read_ini.hpp>
#include <caf/optional.hpp>
#include <caf/pec.hpp>
#include <caf/uri.hpp>

#include <algorithm>
#include <optional>
#include <type_traits>
#include <utility>

namespace tandem::config {

namespace {

constexpr size_t max_faults = 20;

/// The consumer of CAF's parser, which is handed around by value.
struct sink {
  ini_recorder* to;

  void key(std::string name) const { to->key(std::move(name)); }

  sink begin_map() const {
    to->begin_map();
    return *this;
  }

  sink begin_list() const {
    to->begin_list();
    return *this;
  }

  void end_map() const { to->end_map(); }
  void end_list() const { to->end_list(); }

  void value(caf::atom_value x) const { to->take(config::value::atom{caf::to_string(x)}); }
  void value(const caf::uri&) const { to->take(config::value::uri{}); }
  void value(std::string x) const { to->take(std::move(x)); }

  template <class T>
  requires std::is_arithmetic_v<T> || std::is_same_v<T, caf::timespan>
  void value(T x) const { to->take(x); }
};

struct unit_sink {
  caf::timespan unit{};

  void value(caf::timespan x) { unit = x; }
};

/// Reads the unit of `count`. CAF's own function of this name multiplies without a look at
/// overflow. Its parser prefers this one for our cursor, so that "99999999h" is too long instead of
/// an arbitrary duration.
void read_timespan(ini_cursor& ps, sink& consumer, int64_t count) {
  unit_sink one;
  caf::detail::parser::read_timespan(ps, one, caf::optional<int64_t>{1});
  if (ps.code <= caf::pec::trailing_character)
    consumer.value(saturated(count, one.unit));
}

/// The fault of a text that the parser must not see: it takes a NUL for the end.
std::optional<ini_fault> fault_of_encoding(std::string_view text, const source_text& source) {
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF"))
    return ini_fault{1, 1, {}, "this is UTF-16; save it as UTF-8"};
  const auto* nul = std::find(source.begin(), source.end(), '\0');
  if (nul == source.end())
    return std::nullopt;
  return ini_fault{source.line(nul), source.column(nul), {}, "a NUL byte: this is no text file"};
}

} // namespace

std::string full_name(std::string_view section, std::string_view key) {
  auto result = std::string{section};
  return result.append(section.empty() ? "" : ".").append(key);
}

ini_document parse_ini(std::string_view text) {
  ini_document result;
  const source_text source{text};
  if (auto fault = fault_of_encoding(text, source)) {
    result.faults.push_back(std::move(*fault));
    return result;
  }
  const auto* at = source.begin();
  std::optional<std::string> section = "";
  while (result.faults.size() < max_faults) {
    ini_cursor state{at, source.end()};
    ini_recorder events{source, state, section, result};
    caf::detail::parser::read_ini(state, sink{&events});
    auto fault = events.fault();
    if (!fault)
      return result;
    // A value with something unreadable behind it needs no other problem.
    if (auto& entries = result.entries;
        !entries.empty() && entries.back().line == fault->line &&
        full_name(entries.back().section, entries.back().key) == fault->key)
      entries.pop_back();
    result.faults.push_back(std::move(*fault));
    at = events.resume_at();
    section = events.section();
  }
  result.faults.back().message += "; the rest isn't checked";
  return result;
}

} // namespace tandem::config
