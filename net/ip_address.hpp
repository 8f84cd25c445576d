/// IP addresses, and who among them is trusted.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tandem::net {

/// An IP address without a port. An IPv4 address and its IPv4-mapped IPv6 form (RFC 4291, section
/// 2.5.5.2) are the same one.
class ip_address {
public:
  using octets = std::array<uint8_t, 16>;

  /// From an address in network byte order, IPv4 as IPv4-mapped.
  explicit constexpr ip_address(const octets& bytes) noexcept : bytes_{bytes} {}

  /// From four octets in network byte order.
  static ip_address v4(const uint8_t* bytes) noexcept;

  /// From sixteen octets in network byte order.
  static ip_address v6(const uint8_t* bytes) noexcept;

  /// Reads an IPv4 address in four decimal numbers, or an IPv6 address without brackets or zone.
  static std::optional<ip_address> parse(std::string_view text) noexcept;

  bool is_v4() const noexcept;

  const octets& bytes() const noexcept { return bytes_; }

  /// Its first `bits` of 128, the rest zero.
  ip_address prefix(unsigned bits) const noexcept;

  auto operator<=>(const ip_address&) const = default;

private:
  octets bytes_;
};

/// "192.0.2.1" or "2001:db8::1".
std::string to_string(const ip_address& x);

/// "192.0.2.1:80" or "[2001:db8::1]:80".
std::string to_string(const ip_address& x, uint16_t port);

/// A network: the addresses whose first bits are the same.
struct address_range {
  ip_address first;
  /// Of 128; an IPv4 network of 8 bits has 104 here.
  unsigned bits = 128;

  bool contains(const ip_address& x) const noexcept { return x.prefix(bits) == first.prefix(bits); }
};

/// Whose word on a client's address is taken.
struct trusted_peers {
  std::vector<address_range> ranges;
  /// Peers of unix-domain listeners, too.
  bool local = false;

  /// Whether a peer with this address is trusted; without one it came by a unix-domain socket.
  bool contain(const std::optional<ip_address>& peer) const noexcept;
};

} // namespace tandem::net

template <>
struct std::hash<tandem::net::ip_address> {
  size_t operator()(const tandem::net::ip_address& x) const noexcept {
    return std::hash<std::string_view>{}(
        {reinterpret_cast<const char*>(x.bytes().data()), x.bytes().size()});
  }
};
