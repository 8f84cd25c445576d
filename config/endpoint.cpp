#include "config/endpoint.hpp"

#include <arpa/inet.h>
#include <charconv>
#include <optional>

namespace tandem::config {

namespace {

std::optional<uint16_t> parse_port(std::string_view text) noexcept {
  uint16_t port = 0;
  auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (ec != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  return port;
}

bool is_address(int family, const std::string& text) noexcept {
  in6_addr room{};
  // It would take a NUL for the end.
  return text.find('\0') == std::string::npos && inet_pton(family, text.c_str(), &room) == 1;
}

} // namespace

std::variant<endpoint, std::string> parse_endpoint(std::string_view text) {
  auto colon = text.rfind(':');
  if (colon == std::string_view::npos || text.ends_with(']'))
    return "has no port";
  auto port = parse_port(text.substr(colon + 1));
  if (!port)
    return "has no port from 0 to 65535 after its last colon";
  auto host = text.substr(0, colon);
  auto bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (!bracketed && host.find(':') != std::string_view::npos)
    return "has an IPv6 address without brackets";
  auto address = std::string{bracketed ? host.substr(1, host.size() - 2) : host};
  if (!is_address(bracketed ? AF_INET6 : AF_INET, address))
    return bracketed ? "has no numeric IPv6 address within its brackets"
                     : "has no numeric IP address before its port";
  return endpoint{std::move(address), *port};
}

std::string to_string(const endpoint& x) {
  auto host = x.address.find(':') == std::string::npos ? x.address : "[" + x.address + "]";
  return host + ":" + std::to_string(x.port);
}

} // namespace tandem::config
