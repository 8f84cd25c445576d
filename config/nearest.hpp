/// "Did you mean ...?"
#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace tandem::config {

/// The candidate that is the fewest edits away from `word`: characters put in, left out, changed,
/// or two neighbours swapped; case doesn't count. Empty if none is near enough to be a slip of the
/// pen.
std::optional<std::string_view> nearest(std::string_view word,
                                        std::span<const std::string_view> candidates);

} // namespace tandem::config
