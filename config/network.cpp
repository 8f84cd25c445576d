#include "config/network.hpp"

#include <arpa/inet.h>
#include <charconv>

namespace tandem::config {

namespace {

/// The bits of an address in `text`, 0 if it is none.
unsigned bits_of(const std::string& text) noexcept {
  in6_addr room{};
  if (text.find('\0') != std::string::npos)
    return 0;
  if (inet_pton(AF_INET, text.c_str(), &room) == 1)
    return 32;
  return inet_pton(AF_INET6, text.c_str(), &room) == 1 ? 128 : 0;
}

} // namespace

std::variant<network, std::string> parse_network(std::string_view text) {
  if (text == "unix")
    return network{std::string{text}, 0};
  auto slash = text.find('/');
  network result{std::string{text.substr(0, slash)}, 0};
  const auto most = bits_of(result.address);
  if (most == 0)
    return "is neither a numeric IP address, nor a network such as \"10.0.0.0/8\", nor \"unix\"";
  result.bits = most;
  if (slash == std::string_view::npos)
    return result;
  auto digits = text.substr(slash + 1);
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), result.bits);
  if (error != std::errc{} || end != digits.data() + digits.size() || result.bits > most)
    return "has no number of bits from 0 to " + std::to_string(most) + " after its slash";
  return result;
}

std::string to_string(const network& x) {
  if (x.is_local() || x.bits == bits_of(x.address))
    return x.address;
  return x.address + "/" + std::to_string(x.bits);
}

} // namespace tandem::config
