#include "net/forwarded_for.hpp"

namespace tandem::net {

namespace {

/// Cuts the last entry off a list, with the blanks around it.
std::string_view cut_last(std::string_view& list) noexcept {
  constexpr std::string_view blanks = " \t";
  auto comma = list.rfind(',');
  auto entry = comma == std::string_view::npos ? list : list.substr(comma + 1);
  list = comma == std::string_view::npos ? std::string_view{} : list.substr(0, comma);
  auto begin = entry.find_first_not_of(blanks);
  if (begin == std::string_view::npos)
    return {};
  return entry.substr(begin, entry.find_last_not_of(blanks) - begin + 1);
}

/// "192.0.2.1", "192.0.2.1:80", "2001:db8::1" or "[2001:db8::1]:80". The port isn't looked at.
std::optional<ip_address> parse_entry(std::string_view text) noexcept {
  if (text.starts_with('[')) {
    auto end = text.find(']');
    if (end == std::string_view::npos || (end + 1 < text.size() && text[end + 1] != ':'))
      return std::nullopt;
    return ip_address::parse(text.substr(1, end - 1));
  }
  if (auto colon = text.find(':'); colon != std::string_view::npos && colon == text.rfind(':'))
    text = text.substr(0, colon);
  return ip_address::parse(text);
}

} // namespace

std::optional<ip_address> forwarded_client(std::string_view list, const trusted_peers& trusted) {
  std::optional<ip_address> found;
  while (!list.empty()) {
    auto next = parse_entry(cut_last(list));
    if (!next)
      break;
    found = next;
    if (!trusted.contain(found))
      break;
  }
  return found;
}

} // namespace tandem::net
