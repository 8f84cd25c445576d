#include "net/proxy_header.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace tandem::net {

namespace {

using namespace std::string_view_literals;

constexpr auto first_word = "PROXY "sv;
/// With the CR LF that ends it.
constexpr size_t max_line = 107;

constexpr auto signature = "\r\n\r\n\0\r\nQUIT\n"sv;
/// The signature, version and command, family, and the length of what follows.
constexpr size_t fixed_size = 16;

constexpr proxy_header_fault no_header{"the connection doesn't begin with a PROXY header"};

// -- version 1 ----------------------------------------------------------------

/// Cuts the next word off `line`, which has one blank behind each but the last.
std::string_view cut_word(std::string_view& line) noexcept {
  auto end = std::min(line.find(' '), line.size());
  auto word = line.substr(0, end);
  line.remove_prefix(std::min(end + 1, line.size()));
  return word;
}

/// Decimal without leading zeros.
std::optional<uint16_t> parse_port(std::string_view text) noexcept {
  uint16_t port = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size() ||
      (text.size() > 1 && text.front() == '0'))
    return std::nullopt;
  return port;
}

/// An address of the family that the header names.
std::optional<ip_address> parse_address(std::string_view text, bool v4) noexcept {
  // IPv4-mapped addresses are written as IPv6, so the text tells the family, not the address.
  if (v4 == (text.find(':') != std::string_view::npos))
    return std::nullopt;
  return ip_address::parse(text);
}

/// `line` is what is between "PROXY " and the CR LF.
proxy_header_result parse_line(std::string_view line, size_t size) noexcept {
  auto family = cut_word(line);
  if (family == "UNKNOWN")
    return proxy_header{size, std::nullopt, 0};
  if (family != "TCP4" && family != "TCP6")
    return proxy_header_fault{"the PROXY header names no known protocol"};
  const bool v4 = family == "TCP4";
  // The blank that ends the line would be lost with the last word.
  const bool ends_well = !line.ends_with(' ');
  auto source = parse_address(cut_word(line), v4);
  auto destination = parse_address(cut_word(line), v4);
  auto source_port = parse_port(cut_word(line));
  auto destination_port = parse_port(cut_word(line));
  if (!source || !destination || !source_port || !destination_port || !line.empty() || !ends_well)
    return proxy_header_fault{"the PROXY header has malformed addresses"};
  return proxy_header{size, source, *source_port};
}

proxy_header_result parse_v1(std::string_view bytes) noexcept {
  auto line = bytes.substr(0, max_line);
  auto end = line.find('\n');
  if (end == std::string_view::npos) {
    if (bytes.size() >= max_line)
      return proxy_header_fault{"the PROXY header's line is longer than 107 bytes"};
    return proxy_header_begun{};
  }
  if (line[end - 1] != '\r')
    return proxy_header_fault{"the PROXY header's line ends without a CR"};
  return parse_line(line.substr(first_word.size(), end - 1 - first_word.size()), end + 1);
}

// -- version 2 ----------------------------------------------------------------

uint16_t read_u16(std::string_view bytes, size_t at) noexcept {
  return static_cast<uint16_t>(static_cast<uint8_t>(bytes[at]) << 8 |
                               static_cast<uint8_t>(bytes[at + 1]));
}

enum class family_kind : uint8_t { unspecified = 0, v4 = 1, v6 = 2, local = 3 };

/// What the addresses of a family take, in bytes.
constexpr std::array<size_t, 4> address_sizes{0, 12, 36, 216};

/// `block` is all behind the fixed part: addresses, then what else the proxy has to tell.
proxy_header_result parse_block(uint8_t family, std::string_view block, size_t size) noexcept {
  const auto kind = family >> 4;
  const auto transport = family & 0xF;
  if (kind > 3 || transport > 2)
    return proxy_header_fault{"the PROXY header names no known protocol"};
  if (block.size() < address_sizes[static_cast<size_t>(kind)])
    return proxy_header_fault{"the PROXY header is too short for its addresses"};
  const auto* bytes = reinterpret_cast<const uint8_t*>(block.data());
  switch (static_cast<family_kind>(kind)) {
  case family_kind::v4:
    return proxy_header{size, ip_address::v4(bytes), read_u16(block, 8)};
  case family_kind::v6:
    return proxy_header{size, ip_address::v6(bytes), read_u16(block, 32)};
  case family_kind::unspecified:
  case family_kind::local:
    break;
  }
  return proxy_header{size, std::nullopt, 0};
}

proxy_header_result parse_v2(std::string_view bytes) noexcept {
  if (bytes.size() < fixed_size)
    return proxy_header_begun{};
  const auto version = static_cast<uint8_t>(bytes[12]) >> 4;
  const auto command = static_cast<uint8_t>(bytes[12]) & 0xF;
  if (version != 2)
    return proxy_header_fault{"the PROXY header has another version than 1 or 2"};
  if (command > 1)
    return proxy_header_fault{"the PROXY header has an unknown command"};
  const auto size = fixed_size + read_u16(bytes, 14);
  if (size > max_proxy_header)
    return proxy_header_fault{"the PROXY header is longer than 4096 bytes"};
  if (bytes.size() < size)
    return proxy_header_begun{};
  // LOCAL: whatever addresses are there don't count.
  if (command == 0)
    return proxy_header{size, std::nullopt, 0};
  return parse_block(static_cast<uint8_t>(bytes[13]), bytes.substr(fixed_size, size - fixed_size),
                     size);
}

/// Whether `bytes` begins with `start`, as far as it goes.
bool may_begin_with(std::string_view bytes, std::string_view start) noexcept {
  auto n = std::min(bytes.size(), start.size());
  return bytes.substr(0, n) == start.substr(0, n);
}

} // namespace

proxy_header_result parse_proxy_header(std::string_view bytes) noexcept {
  if (may_begin_with(bytes, signature))
    return parse_v2(bytes);
  if (may_begin_with(bytes, first_word))
    return bytes.size() < first_word.size() ? proxy_header_result{proxy_header_begun{}}
                                            : parse_v1(bytes);
  return no_header;
}

} // namespace tandem::net
