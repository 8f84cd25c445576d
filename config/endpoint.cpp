#include "config/endpoint.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <charconv>
#include <optional>
#include <sys/un.h>
#include <utility>

namespace tandem::config {

namespace {

/// What is wrong with a text, as the end of a sentence that begins with it; empty if nothing is.
using fault = std::string;

template <class Number>
std::optional<Number> parse_number(std::string_view text, int base = 10) noexcept {
  Number number = 0;
  auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (ec != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  return number;
}

bool is_address(int family, const std::string& text) noexcept {
  in6_addr room{};
  // It would take a NUL for the end.
  return text.find('\0') == std::string::npos && inet_pton(family, text.c_str(), &room) == 1;
}

// -- options of a listener ----------------------------------------------------

fault set_mode(endpoint& x, std::string_view value) {
  auto mode = parse_number<uint16_t>(value, 8);
  if (!x.is_unix())
    return "has a mode, which only a Unix-domain socket can have";
  if (!mode || *mode > 0777)
    return "has a mode that isn't one of a file, such as 660";
  x.mode = *mode;
  return {};
}

std::string show_mode(const endpoint& x) {
  std::array<char, 8> digits{};
  auto end = std::to_chars(digits.data(), digits.data() + digits.size(), x.mode, 8).ptr;
  return x.mode == endpoint{}.mode ? std::string{} : std::string{digits.data(), end};
}

fault set_compression(endpoint& x, std::string_view value) {
  if (value != "on" && value != "off")
    return "has a compression that is neither on nor off";
  x.compression = value == "on" ? toggle::on : toggle::off;
  return {};
}

std::string show_compression(const endpoint& x) {
  if (!x.compression)
    return {};
  return *x.compression == toggle::on ? "on" : "off";
}

fault set_proxy_protocol(endpoint& x, std::string_view value) {
  if (!value.empty() && value != "on")
    return "has a value for proxy-protocol, which takes none";
  x.proxy_protocol = true;
  return {};
}

std::string show_proxy_protocol(const endpoint& x) {
  return x.proxy_protocol ? "on" : "";
}

fault set_max_connections(endpoint& x, std::string_view value) {
  auto count = parse_number<size_t>(value);
  if (!count || *count == 0)
    return "has no number from 1 up for max-connections";
  x.max_connections = *count;
  return {};
}

std::string show_max_connections(const endpoint& x) {
  return x.max_connections == 0 ? "" : std::to_string(x.max_connections);
}

fault set_client_certificates(endpoint& x, std::string_view value) {
  auto found = std::ranges::find(certificate_demand_words, value);
  if (!x.tls)
    return "asks for client-certificates, which only a listener with wss:// can";
  if (found == certificate_demand_words.end())
    return "has client-certificates that are neither off, nor optional, nor required";
  x.client_certificates = static_cast<certificate_demand>(found - certificate_demand_words.begin());
  return {};
}

std::string show_client_certificates(const endpoint& x) {
  if (!x.client_certificates)
    return {};
  return std::string{certificate_demand_words[static_cast<size_t>(*x.client_certificates)]};
}

/// What may stand behind the "?".
struct listener_option {
  std::string_view name;
  fault (*set)(endpoint&, std::string_view value);
  /// Its value; empty if it is at its default.
  std::string (*show)(const endpoint&);
};

constexpr std::array listener_options{
    listener_option{"mode", set_mode, show_mode},
    listener_option{"compression", set_compression, show_compression},
    listener_option{"proxy-protocol", set_proxy_protocol, show_proxy_protocol},
    listener_option{"max-connections", set_max_connections, show_max_connections},
    listener_option{"client-certificates", set_client_certificates, show_client_certificates},
};

fault unknown_option(std::string_view name) {
  std::string known;
  for (const auto& row : listener_options)
    known.append(known.empty() ? "" : ", ").append(row.name);
  return "has the unknown option " + std::string{name} + "; a listener's options are: " + known;
}

fault read_options(std::string_view text, endpoint& to) {
  while (!text.empty()) {
    auto item = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(text.size(), item.size() + 1));
    auto name = item.substr(0, item.find('='));
    auto value = item.substr(std::min(item.size(), name.size() + 1));
    auto row = std::ranges::find(listener_options, name, &listener_option::name);
    if (row == listener_options.end())
      return unknown_option(name);
    if (auto why = row->set(to, value); !why.empty())
      return why;
  }
  return {};
}

// -- addresses ----------------------------------------------------------------

fault read_path(std::string_view text, endpoint& to) {
  constexpr auto longest = sizeof(sockaddr_un::sun_path) - 1;
  if (!text.starts_with('/') || text.find('\0') != std::string_view::npos)
    return "has no absolute path after \"unix:\"";
  if (text.size() > longest)
    return "has a path of more than " + std::to_string(longest) + " bytes";
  to.address = text;
  return {};
}

fault read_address(std::string_view text, endpoint& to) {
  auto colon = text.rfind(':');
  if (colon == std::string_view::npos || text.ends_with(']'))
    return "has no port";
  auto port = parse_number<uint16_t>(text.substr(colon + 1));
  if (!port)
    return "has no port from 0 to 65535 after its last colon";
  auto host = text.substr(0, colon);
  auto bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (!bracketed && host.find(':') != std::string_view::npos)
    return "has an IPv6 address without brackets";
  to.address = bracketed ? host.substr(1, host.size() - 2) : host;
  to.port = *port;
  if (!is_address(bracketed ? AF_INET6 : AF_INET, to.address))
    return bracketed ? "has no numeric IPv6 address within its brackets"
                     : "has no numeric IP address before its port";
  return {};
}

} // namespace

std::variant<endpoint, std::string> parse_endpoint(std::string_view text) {
  constexpr std::string_view unix_scheme = "unix:";
  constexpr std::string_view plain_scheme = "ws://";
  constexpr std::string_view tls_scheme = "wss://";
  auto where = text.substr(0, text.find('?'));
  auto options = text.substr(std::min(text.size(), where.size() + 1));
  endpoint result;
  result.tls = where.starts_with(tls_scheme);
  fault why;
  if (where.starts_with(unix_scheme))
    why = read_path(where.substr(unix_scheme.size()), result);
  else if (where.starts_with(plain_scheme))
    why = read_address(where.substr(plain_scheme.size()), result);
  else if (result.tls)
    why = read_address(where.substr(tls_scheme.size()), result);
  else if (where.find("://") != std::string_view::npos)
    why = "has an unknown scheme";
  else
    why = read_address(where, result);
  if (why.empty())
    why = read_options(options, result);
  if (!why.empty())
    return why;
  return result;
}

std::string to_string(const endpoint& x) {
  std::string result = x.tls ? "wss://" : "";
  if (x.is_unix())
    result = "unix:" + x.address;
  else if (x.address.find(':') == std::string::npos)
    result += x.address + ":" + std::to_string(x.port);
  else
    result += "[" + x.address + "]:" + std::to_string(x.port);
  auto separator = '?';
  for (const auto& row : listener_options)
    if (auto value = row.show(x); !value.empty()) {
      result.append(1, std::exchange(separator, '&')).append(row.name).append("=").append(value);
    }
  return result;
}

} // namespace tandem::config
