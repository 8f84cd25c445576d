#include "net/route.hpp"

#include "net/utf8.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>
#include <span>

namespace tandem::net {

namespace {

constexpr std::string_view key_word = "{key}";

route_fault bad(std::string detail) {
  return {refusal::bad_request, std::move(detail)};
}

/// Cuts the first segment off a path that begins with "/".
std::string_view cut_segment(std::string_view& path) {
  path.remove_prefix(1);
  auto end = std::min(path.find('/'), path.size());
  auto segment = path.substr(0, end);
  path.remove_prefix(end);
  return segment;
}

/// The segment of `path` in the place of "{key}"; nothing if the path doesn't fit the pattern.
std::optional<std::string_view> find_key(std::string_view path, std::string_view pattern) {
  std::optional<std::string_view> key;
  while (!path.empty() && !pattern.empty()) {
    auto have = cut_segment(path);
    auto want = cut_segment(pattern);
    if (want == key_word)
      key = have;
    else if (have != want)
      return std::nullopt;
  }
  return path.empty() && pattern.empty() ? key : std::nullopt;
}

bool is_control_character(char c) {
  auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7F;
}

bool is_utf8(std::string_view text) {
  utf8_check check;
  return check.feed(std::as_bytes(std::span{text})) && check.complete();
}

/// Whether some part between slashes is "." or "..". Backslashes count too, as some take them for
/// slashes.
bool has_dot_segment(std::string_view path) {
  for (size_t begin = 0; begin <= path.size();) {
    auto end = std::min(path.find_first_of("/\\", begin), path.size());
    if (auto segment = path.substr(begin, end - begin); segment == "." || segment == "..")
      return true;
    begin = end + 1;
  }
  return false;
}

/// Takes scheme and authority off a target in absolute form (RFC 9112, section 3.2.2); what is
/// wrong with it otherwise.
std::optional<route_fault> strip_authority(std::string_view& target) {
  auto colon = target.find("://");
  if (colon == std::string_view::npos)
    return bad("the target doesn't begin with a slash");
  std::string scheme{target.substr(0, colon)};
  std::ranges::transform(scheme, scheme.begin(), [](unsigned char c) { return std::tolower(c); });
  if (scheme != "http" && scheme != "https" && scheme != "ws" && scheme != "wss")
    return bad("the target's scheme is none of http, https, ws and wss");
  target.remove_prefix(colon + 3);
  auto authority = target.substr(0, target.find_first_of("/?#"));
  if (authority.empty())
    return bad("the target names no host");
  // RFC 9110, section 4.2.4.
  if (authority.find('@') != std::string_view::npos)
    return bad("the target has a user's name before its host");
  target.remove_prefix(authority.size());
  return std::nullopt;
}

/// Where a path leads: a route's index, the side, and the key as it was sent.
struct place {
  size_t route;
  role side;
  std::string_view key;
};

std::optional<place> find_place(std::string_view path, std::span<const route> routes) {
  for (size_t i = 0; i < routes.size(); ++i) {
    if (auto key = find_key(path, routes[i].client_path))
      return place{i, role::client, *key};
    if (auto key = find_key(path, routes[i].worker_path))
      return place{i, role::worker, *key};
  }
  return std::nullopt;
}

/// Where it leads instead, if there are but a few routes.
std::string no_route(std::span<const route> routes) {
  constexpr size_t shown = 3;
  if (routes.size() > shown)
    return "no route here";
  std::string result = "no route here; ";
  for (size_t i = 0; i < routes.size(); ++i)
    result.append(i == 0 ? "" : "; or ")
        .append("clients connect to ")
        .append(routes[i].client_path)
        .append(" and workers to ")
        .append(routes[i].worker_path);
  return result;
}

} // namespace

std::optional<std::string> percent_decode(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i]);
      continue;
    }
    unsigned value = 0;
    auto digits = text.substr(i + 1, 2);
    auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (digits.size() != 2 || error != std::errc{} || end != digits.data() + 2)
      return std::nullopt;
    out.push_back(static_cast<char>(value));
    i += 2;
  }
  return out;
}

std::string name_fault(std::string_view name) {
  if (name.empty())
    return "is empty";
  if (name.size() > max_key_size)
    return "is longer than " + std::to_string(max_key_size) + " bytes";
  if (std::ranges::any_of(name, is_control_character))
    return "has a control character";
  return is_utf8(name) ? "" : "isn't UTF-8";
}

std::variant<route_match, route_fault> match_target(std::string_view target,
                                                    std::span<const route> routes) {
  if (!target.starts_with('/'))
    if (auto fault = strip_authority(target))
      return std::move(*fault);
  const auto question = std::min(target.find('?'), target.size());
  auto path = target.substr(0, question);
  if (path.empty())
    path = "/";
  if (std::ranges::any_of(path,
                          [](char c) { return is_control_character(c) || c == ' ' || c == '#'; }))
    return bad("the target has a character that has to be percent-encoded");
  // Decoded, since dots and slashes mean the same to whoever decodes before it splits.
  auto decoded = percent_decode(path);
  if (!decoded)
    return bad("the target has a percent sign without two hexadecimal digits");
  if (has_dot_segment(*decoded))
    return bad("the target has a segment of dots");
  const auto found = find_place(path, routes);
  if (!found)
    return route_fault{refusal::unknown_route, no_route(routes)};
  // The whole path was decoded before.
  auto key = *percent_decode(found->key);
  if (auto why = name_fault(key); !why.empty())
    return bad("the key " + why);
  return route_match{found->side, std::move(key), static_cast<uint16_t>(found->route), target,
                     target.substr(std::min(question + 1, target.size()))};
}

} // namespace tandem::net
