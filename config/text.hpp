/// Options and their values in words, in the syntax of the config file.
#pragma once

#include "config/options.hpp"

#include <string>
#include <string_view>

namespace tandem::config {

/// What stands for the option's value on the command line: "DURATION".
std::string placeholder(const option& row);

/// What the option takes: "a duration from 1ms to 24h (0: no limit)".
std::string accepted(const option& row);

/// `accepted`, with an example where the syntax isn't plain from it.
std::string accepted_with_example(const option& row);

/// The value of the option in `from`, as the config file has it.
std::string show(const option& row, const settings& from);

/// The words for `modes`: "\"pool\" or \"shared\"".
std::string show(const mode_set& modes);

/// `text` in double quotes, with the escapes of CAF's grammar.
std::string quoted(std::string_view text);

} // namespace tandem::config
