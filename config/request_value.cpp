#include "config/request_value.hpp"

#include <algorithm>

namespace tandem::config {

namespace {

bool is_alphanumeric(unsigned char c) noexcept {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/// Characters that stand for themselves in any URL (RFC 3986, section 2.3).
bool is_unreserved(unsigned char c) noexcept {
  return is_alphanumeric(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

} // namespace

bool is_token_character(unsigned char c) noexcept {
  constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
  return is_alphanumeric(c) || marks.find(static_cast<char>(c)) != std::string_view::npos;
}

std::string_view to_word(request_part x) noexcept {
  switch (x) {
  case request_part::none:
    return "";
  case request_part::query:
    return "query";
  case request_part::header:
    return "header";
  case request_part::cookie:
    return "cookie";
  }
  return "";
}

std::variant<request_value, std::string>
parse_request_value(std::string_view text, std::span<const request_part> accepted) {
  if (text.empty())
    return request_value{};
  auto colon = std::min(text.find(':'), text.size());
  auto part = std::ranges::find(accepted, text.substr(0, colon), to_word);
  if (part == accepted.end() || colon == text.size())
    return "doesn't say where to look";
  auto name = text.substr(colon + 1);
  auto fits = *part == request_part::query ? is_unreserved : is_token_character;
  if (name.empty())
    return "has no name after its colon";
  if (!std::ranges::all_of(name, fits))
    return "has a character that its name can't hold";
  return request_value{*part, std::string{name}};
}

std::string to_string(const request_value& x) {
  return x.in == request_part::none ? "" : std::string{to_word(x.in)} + ":" + x.name;
}

} // namespace tandem::config
