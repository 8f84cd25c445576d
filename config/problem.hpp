/// What is wrong with a configuration, and where.
#pragma once

#include <string>
#include <string_view>

namespace tandem::config {

struct problem {
  /// The file; empty for the command line.
  std::string source;
  /// From 1; 0 if it has none.
  int line = 0;
  /// From 1, in bytes; 0 if it has none. Syntax errors have one.
  int column = 0;
  /// The option or section, with dashes before it if it is from the command line. May be empty.
  std::string key;
  /// A sentence without a full stop, which says what is accepted too.
  std::string message;

  bool operator==(const problem&) const = default;
};

/// "FILE:LINE:COLUMN: KEY: MESSAGE", without the parts that `x` doesn't have.
std::string to_string(const problem& x);

/// `text` fit for a message: control characters escaped, and cut if it is long.
std::string printable(std::string_view text);

} // namespace tandem::config
