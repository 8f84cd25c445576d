// Any bytes as the beginning of a proxied connection. Cut anywhere, a header is still to come
// before its end, and what follows it makes no difference.
#include "net/forwarded_for.hpp"
#include "net/proxy_header.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

using namespace tandem::net;

namespace {

void require(bool holds) {
  if (!holds)
    std::abort();
}

/// From memory of the exact size, so that a sanitizer sees one byte too many being read.
proxy_header_result parse(std::string_view bytes) {
  auto exact = std::make_unique<char[]>(bytes.size());
  std::ranges::copy(bytes, exact.get());
  return parse_proxy_header({exact.get(), bytes.size()});
}

void check_header(std::string_view bytes) {
  const auto whole = parse(bytes);
  if (const auto* fault = std::get_if<proxy_header_fault>(&whole)) {
    require(!fault->detail.empty());
    require(std::holds_alternative<proxy_header_fault>(parse(std::string{bytes} + "more")));
    return;
  }
  if (std::holds_alternative<proxy_header_begun>(whole)) {
    require(bytes.size() < max_proxy_header);
    return;
  }
  const auto& header = std::get<proxy_header>(whole);
  require(header.size > 0 && header.size <= bytes.size() && header.size <= max_proxy_header);
  require(header.source || header.port == 0);
  if (header.source)
    require(ip_address::parse(to_string(*header.source)) == header.source);
  for (size_t n = 0; n < header.size; ++n)
    require(std::holds_alternative<proxy_header_begun>(parse(bytes.substr(0, n))));
  const auto exact = parse(bytes.substr(0, header.size));
  require(std::holds_alternative<proxy_header>(exact));
  require(std::get<proxy_header>(exact).source == header.source);
}

void check_forwarded(std::string_view list) {
  const auto loopback = ip_address::parse("127.0.0.1").value();
  const trusted_peers none;
  const trusted_peers all{{{loopback, 0}}};
  const auto nearest = forwarded_client(list, none);
  const auto farthest = forwarded_client(list, all);
  require(nearest.has_value() == farthest.has_value());
  // What a client puts to the left of its own address is its own word.
  require(forwarded_client("192.0.2.1, " + std::string{list}, none) == nearest || !nearest);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes{reinterpret_cast<const char*>(data), size};
  check_header(bytes);
  check_forwarded(bytes);
  return 0;
}
