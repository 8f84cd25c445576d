/// From a value as written to a field of the settings.
#pragma once

#include "config/options.hpp"
#include "config/value.hpp"

#include <string>
#include <vector>

namespace tandem::config {

/// Why a value, or a part of it, isn't accepted.
struct value_fault {
  /// Of the part that is at fault.
  int line = 0;
  std::string message;
};

/// Sets the field of `row` in `to`, if `x` is what the option accepts. Otherwise leaves `to` alone
/// and returns every fault; none means success.
[[nodiscard]] std::vector<value_fault> assign(const option& row, const value& x, settings& to);

} // namespace tandem::config
