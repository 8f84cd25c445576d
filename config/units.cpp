#include "config/units.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <span>

namespace tandem::config {

namespace {

struct unit {
  std::string_view name;
  uint64_t factor;
};

/// In nanoseconds, as CAF's grammar has them.
constexpr std::array duration_units{
    unit{"ns", 1},
    unit{"us", 1'000},
    unit{"ms", 1'000'000},
    unit{"s", 1'000'000'000},
    unit{"min", 60'000'000'000},
    unit{"h", 3'600'000'000'000},
};

constexpr std::array size_units{
    unit{"B", 1},
    unit{"KiB", uint64_t{1} << 10},
    unit{"MiB", uint64_t{1} << 20},
    unit{"GiB", uint64_t{1} << 30},
    unit{"TiB", uint64_t{1} << 40},
    unit{"PiB", uint64_t{1} << 50},
};

struct quantity {
  uint64_t count = 0;
  std::string_view unit;
};

std::optional<quantity> parse_quantity(std::string_view text) noexcept {
  quantity result;
  auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), result.count);
  if (ec == std::errc::invalid_argument)
    return std::nullopt;
  if (ec == std::errc::result_out_of_range)
    result.count = std::numeric_limits<uint64_t>::max();
  result.unit = text.substr(static_cast<size_t>(end - text.data()));
  result.unit.remove_prefix(std::min(result.unit.find_first_not_of(' '), result.unit.size()));
  return result;
}

/// `x` in the smallest of `units`, at most `limit`.
std::optional<uint64_t> resolve(quantity x, std::span<const unit> units, uint64_t limit) noexcept {
  auto found = std::ranges::find(units, x.unit, &unit::name);
  if (found == units.end())
    return std::nullopt;
  return x.count > limit / found->factor ? limit : x.count * found->factor;
}

/// The largest of `units` that divides `x`; for 0 the smallest.
unit fitting(uint64_t x, std::span<const unit> units) noexcept {
  auto result = units.front();
  for (auto u : units)
    if (x != 0 && x % u.factor == 0)
      result = u;
  return result;
}

} // namespace

std::optional<caf::timespan> parse_duration(std::string_view text) noexcept {
  auto parts = parse_quantity(text);
  if (!parts)
    return std::nullopt;
  if (parts->unit.empty())
    return parts->count == 0 ? std::optional{caf::timespan::zero()} : std::nullopt;
  auto limit = static_cast<uint64_t>(caf::timespan::max().count());
  auto nanoseconds = resolve(*parts, duration_units, limit);
  if (!nanoseconds)
    return std::nullopt;
  return caf::timespan{static_cast<int64_t>(*nanoseconds)};
}

std::optional<uint64_t> parse_size(std::string_view text) noexcept {
  auto parts = parse_quantity(text);
  if (!parts)
    return std::nullopt;
  if (parts->unit.empty())
    return parts->count;
  return resolve(*parts, size_units, std::numeric_limits<uint64_t>::max());
}

std::string format_duration(std::chrono::milliseconds x) {
  if (x == x.zero())
    return "0s";
  auto nanoseconds = static_cast<uint64_t>(caf::timespan{x}.count());
  auto in = fitting(nanoseconds, duration_units);
  return std::to_string(nanoseconds / in.factor).append(in.name);
}

std::string format_size(uint64_t bytes) {
  auto in = fitting(bytes, size_units);
  return std::to_string(bytes / in.factor).append(" ").append(in.name);
}

caf::timespan saturated(int64_t count, caf::timespan unit) noexcept {
  auto limit = caf::timespan::max().count() / unit.count();
  if (count > limit)
    return caf::timespan::max();
  if (count < -limit)
    return caf::timespan::min();
  return count * unit;
}

} // namespace tandem::config
