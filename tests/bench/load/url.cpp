#include "tests/bench/load/url.hpp"

#include <fmt/format.h>

#include <arpa/inet.h>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <optional>
#include <unistd.h>

namespace tandem::bench {

namespace {

constexpr std::string_view id_place = "{id}";
constexpr uint64_t connections_per_source = 20'000;

std::optional<uint16_t> parse_port(std::string_view text) {
  uint16_t port = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size() || port == 0)
    return std::nullopt;
  return port;
}

bool set_address(target& where, const std::string& host, uint16_t port) {
  sockaddr_in v4{};
  if (inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    std::memcpy(&where.address, &v4, sizeof v4);
    where.address_size = sizeof v4;
    return true;
  }
  sockaddr_in6 v6{};
  if (inet_pton(AF_INET6, host.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    std::memcpy(&where.address, &v6, sizeof v6);
    where.address_size = sizeof v6;
    return true;
  }
  return false;
}

/// Splits `host[:port]`; the host loses its brackets.
std::optional<std::pair<std::string, std::string_view>>
split_authority(std::string_view text, std::string_view default_port) {
  size_t host_end = 0;
  std::string host;
  if (text.starts_with('[')) {
    auto bracket = text.find(']');
    if (bracket == std::string_view::npos)
      return std::nullopt;
    host = text.substr(1, bracket - 1);
    host_end = bracket + 1;
  } else {
    host_end = std::min(text.find(':'), text.size());
    host = text.substr(0, host_end);
  }
  auto rest = text.substr(host_end);
  if (host.empty() || (!rest.empty() && rest.front() != ':'))
    return std::nullopt;
  return std::pair{host, rest.empty() ? default_port : rest.substr(1)};
}

bool is_loopback(const sockaddr_in& address) {
  return (ntohl(address.sin_addr.s_addr) >> 24) == 127;
}

/// Binds to 127.0.1.x. Best effort: without it the kernel says soon enough that it has no port
/// left.
void spread_source(int fd, const target& where, uint64_t ordinal) {
  if (where.address.ss_family != AF_INET || ordinal < connections_per_source)
    return;
  sockaddr_in to{};
  std::memcpy(&to, &where.address, sizeof to);
  if (!is_loopback(to))
    return;
  int on = 1;
  setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  sockaddr_in from{};
  from.sin_family = AF_INET;
  auto host = static_cast<uint32_t>(1 + ordinal / connections_per_source % 254);
  from.sin_addr.s_addr = htonl(0x7F000100U + host);
  [[maybe_unused]] auto ignored = bind(fd, reinterpret_cast<const sockaddr*>(&from), sizeof from);
}

} // namespace

std::string target::path_of(std::string_view id) const {
  auto result = path;
  for (auto at = result.find(id_place); at != std::string::npos;
       at = result.find(id_place, at + id.size()))
    result.replace(at, id_place.size(), id);
  return result;
}

std::variant<target, bad_input> parse_url(std::string_view url) {
  constexpr std::string_view scheme = "ws://";
  constexpr std::string_view tls_scheme = "wss://";
  const bool tls = url.starts_with(tls_scheme);
  if (!tls && !url.starts_with(scheme))
    return bad_input{fmt::format("'{}' begins neither with ws:// nor with wss://", url)};
  auto rest = url.substr(tls ? tls_scheme.size() : scheme.size());
  auto slash = std::min(rest.find('/'), rest.size());
  target where;
  where.tls = tls;
  where.host = rest.substr(0, slash);
  where.path = slash < rest.size() ? rest.substr(slash) : "/";
  if (where.path.find_first_of(" \t\r\n#") != std::string::npos)
    return bad_input{fmt::format("'{}' has a character that no path may have", url)};
  auto parts = split_authority(where.host, tls ? "443" : "80");
  if (!parts)
    return bad_input{fmt::format("'{}' names no host, or a malformed one", url)};
  auto port = parse_port(parts->second);
  if (!port)
    return bad_input{fmt::format("'{}' has no valid port (1 to 65535)", url)};
  auto host = parts->first == "localhost" ? "127.0.0.1" : parts->first;
  if (!set_address(where, host, *port))
    return bad_input{fmt::format(
        "'{}': the host must be an IPv4 address, an IPv6 address in brackets, or localhost", url)};
  return where;
}

int open_socket(const target& where, uint64_t ordinal, int receive_buffer) {
  auto fd = socket(where.address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return -1;
  int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (receive_buffer > 0)
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  spread_source(fd, where, ordinal);
  const auto* to = reinterpret_cast<const sockaddr*>(&where.address);
  if (connect(fd, to, where.address_size) == 0 || errno == EINPROGRESS)
    return fd;
  auto error = errno;
  close(fd);
  errno = error;
  return -1;
}

} // namespace tandem::bench
