/// Durations and sizes as people write them.
#pragma once

#include <caf/timespan.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tandem::config {

/// Reads a whole number of ns, us, ms, s, min or h, as in "5min" or "5 min". A plain "0" needs no
/// unit. What no timespan can hold becomes the longest one. Empty if it is no duration.
std::optional<caf::timespan> parse_duration(std::string_view text) noexcept;

/// Reads a whole number of B, KiB, MiB, GiB, TiB or PiB, as in "64 KiB" or "64KiB"; without a unit
/// it is bytes. What 64 bits can't hold becomes the largest number. Empty if it is no size.
std::optional<uint64_t> parse_size(std::string_view text) noexcept;

/// Writes `x`, which isn't negative, in the largest unit that leaves no fraction: "90s", "5min".
std::string format_duration(std::chrono::milliseconds x);

/// Writes `bytes` in the largest unit that leaves no fraction: "1500 B", "64 KiB".
std::string format_size(uint64_t bytes);

/// `count` times `unit`, which is above 0, or the nearest timespan to it.
caf::timespan saturated(int64_t count, caf::timespan unit) noexcept;

} // namespace tandem::config
