#include "net/ip_address.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cstring>

namespace tandem::net {

namespace {

/// What precedes an IPv4 address in its IPv4-mapped form.
constexpr std::array<uint8_t, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

} // namespace

ip_address ip_address::v4(const uint8_t* bytes) noexcept {
  octets all;
  std::ranges::copy(mapped, all.begin());
  std::copy_n(bytes, 4, all.begin() + mapped.size());
  return ip_address{all};
}

ip_address ip_address::v6(const uint8_t* bytes) noexcept {
  octets all;
  std::copy_n(bytes, all.size(), all.begin());
  return ip_address{all};
}

std::optional<ip_address> ip_address::parse(std::string_view text) noexcept {
  std::array<char, INET6_ADDRSTRLEN> terminated{};
  if (text.size() >= terminated.size() || text.find('\0') != std::string_view::npos)
    return std::nullopt;
  std::ranges::copy(text, terminated.begin());
  octets bytes;
  if (inet_pton(AF_INET, terminated.data(), bytes.data()) == 1)
    return v4(bytes.data());
  if (inet_pton(AF_INET6, terminated.data(), bytes.data()) == 1)
    return ip_address{bytes};
  return std::nullopt;
}

bool ip_address::is_v4() const noexcept {
  return std::equal(mapped.begin(), mapped.end(), bytes_.begin());
}

ip_address ip_address::prefix(unsigned bits) const noexcept {
  octets kept{};
  for (size_t i = 0; i < kept.size() && bits > 0; ++i) {
    auto here = std::min(bits, 8U);
    kept[i] = static_cast<uint8_t>(bytes_[i] & (0xFF00U >> here));
    bits -= here;
  }
  return ip_address{kept};
}

std::string to_string(const ip_address& x) {
  std::array<char, INET6_ADDRSTRLEN> text;
  if (x.is_v4())
    inet_ntop(AF_INET, x.bytes().data() + mapped.size(), text.data(), text.size());
  else
    inet_ntop(AF_INET6, x.bytes().data(), text.data(), text.size());
  return text.data();
}

std::string to_string(const ip_address& x, uint16_t port) {
  auto address = x.is_v4() ? to_string(x) : "[" + to_string(x) + "]";
  return address + ":" + std::to_string(port);
}

bool trusted_peers::contain(const std::optional<ip_address>& peer) const noexcept {
  if (!peer)
    return local;
  return std::ranges::any_of(ranges, [&](const address_range& x) { return x.contains(*peer); });
}

} // namespace tandem::net
