/// How values stand in log lines.
#pragma once

#include <string>
#include <string_view>

namespace tandem {

/// `text` as the value of a field: as it is if it is plain, else in quotes, with quotes and
/// backslashes escaped and control characters as \xNN. A peer's choice of a key can't fake a field
/// or a line. Any thread.
std::string log_value(std::string_view text);

} // namespace tandem
