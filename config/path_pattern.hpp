/// The paths of clients and workers: "/client/{key}".
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tandem::config {

/// What is wrong with `pattern`, as the end of a sentence that begins with it; empty if nothing is.
/// A good one starts with "/", has no empty segment, and exactly one segment is "{key}"; the others
/// are plain characters of a URL.
std::string pattern_fault(std::string_view pattern);

/// A path that both patterns match, if there is one. Both are good ones.
std::optional<std::string> common_path(std::string_view a, std::string_view b);

} // namespace tandem::config
