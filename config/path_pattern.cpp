#include "config/path_pattern.hpp"

#include <algorithm>
#include <utility>

namespace tandem::config {

namespace {

constexpr std::string_view key_segment = "{key}";

/// Cuts the first part between slashes off `path`, which starts with one.
std::string_view cut_segment(std::string_view& path) {
  path.remove_prefix(1);
  auto end = std::min(path.find('/'), path.size());
  auto segment = path.substr(0, end);
  path.remove_prefix(end);
  return segment;
}

/// Characters that stand for themselves in a path (RFC 3986, section 3.3). Percent-encoding is left
/// out, so that a request's path can be compared byte by byte.
bool is_plain(char ch) noexcept {
  constexpr std::string_view marks = "-._~!$&'()*+,;=:@";
  return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') ||
         marks.find(ch) != std::string_view::npos;
}

} // namespace

std::string pattern_fault(std::string_view pattern) {
  if (!pattern.starts_with('/'))
    return "does not start with \"/\"";
  int keys = 0;
  for (auto rest = pattern; !rest.empty();) {
    auto segment = cut_segment(rest);
    if (segment.empty())
      return "has an empty segment";
    if (segment == key_segment)
      ++keys;
    else if (segment.find(key_segment) != std::string_view::npos)
      return "has a \"{key}\" that is only part of a segment";
    else if (!std::ranges::all_of(segment, is_plain))
      return "has a character that a path can't hold as it is";
  }
  return keys == 1 ? "" : keys == 0 ? "has no \"{key}\"" : "has more than one \"{key}\"";
}

std::optional<std::string> common_path(std::string_view a, std::string_view b) {
  std::string path;
  while (!a.empty() && !b.empty()) {
    auto left = cut_segment(a);
    auto right = cut_segment(b);
    if (left != right && left != key_segment && right != key_segment)
      return std::nullopt;
    path.append("/").append(left == key_segment ? right : left);
  }
  return a.empty() && b.empty() ? std::optional{std::move(path)} : std::nullopt;
}

} // namespace tandem::config
