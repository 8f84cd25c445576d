#include "config/path_pattern.hpp"

#include <algorithm>
#include <vector>

namespace tandem::config {

namespace {

constexpr std::string_view key_segment = "{key}";

/// The parts between the slashes; `path` starts with one.
std::vector<std::string_view> segments(std::string_view path) {
  std::vector<std::string_view> result;
  while (!path.empty()) {
    path.remove_prefix(1);
    auto end = std::min(path.find('/'), path.size());
    result.push_back(path.substr(0, end));
    path.remove_prefix(end);
  }
  return result;
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
  for (auto segment : segments(pattern)) {
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
  auto left = segments(a);
  auto right = segments(b);
  if (left.size() != right.size())
    return std::nullopt;
  std::string path;
  for (size_t i = 0; i < left.size(); ++i) {
    if (left[i] != right[i] && left[i] != key_segment && right[i] != key_segment)
      return std::nullopt;
    path.append("/").append(left[i] == key_segment ? right[i] : left[i]);
  }
  return path;
}

} // namespace tandem::config
