/// The syntax of the config file: CAF's grammar, read by CAF's parser, with the line of everything
/// kept.
#pragma once

#include "config/problem.hpp"
#include "config/value.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace tandem::config {

/// KEY = VALUE.
struct ini_entry {
  /// Empty for the global one, "a.b" for nested ones.
  std::string section;
  std::string key;
  value content;
  int line = 0;
};

/// [NAME], or NAME { ... }, which is the same in this grammar.
struct ini_section {
  std::string name;
  int line = 0;
};

/// A fault of the syntax. The text after it is read on from the next line that looks like an entry
/// or a section.
struct ini_fault {
  int line = 0;
  int column = 0;
  /// The full name of the key whose value was about to come; empty if none was.
  std::string key;
  std::string message;
};

struct ini_document {
  std::vector<ini_section> sections;
  std::vector<ini_entry> entries;
  std::vector<ini_fault> faults;
};

/// "key", or "section.key".
std::string full_name(std::string_view section, std::string_view key);

/// Reads `text`, with Unix or DOS line ends, with or without a byte order mark. Any bytes will do:
/// what can't be read is among the faults. Past a score of faults it stops.
ini_document parse_ini(std::string_view text);

} // namespace tandem::config
