/// A value as someone wrote it, before any option has judged it.
#pragma once

#include <caf/timespan.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace tandem::config {

struct value {
  /// 'name'
  struct atom {
    std::string name;
  };
  /// <scheme:path>
  struct uri {};
  /// { ... }, whose content isn't kept.
  struct block {};
  using list = std::vector<value>;

  std::variant<bool, int64_t, double, caf::timespan, atom, std::string, uri, block, list> data;
  /// As it was written, unless it is a list or block.
  std::string text;
  /// Where it begins, from 1; 0 on the command line.
  int line = 0;
};

/// What `x` is, for a message: "the number 5".
std::string describe(const value& x);

/// Why a number or duration, though CAF's grammar takes it for one, is hardly what its author
/// means: octal by a leading zero, or without any digit, which is 0. As the end of a sentence that
/// begins with it; empty if nothing is wrong.
std::string_view number_fault(const value& x) noexcept;

} // namespace tandem::config
