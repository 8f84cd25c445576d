// Any bytes as a peer's HTTP request. The first byte chooses how they are cut into reads. What is
// let in has a sound key and a sound claim, what is refused gets an answer that HTTP and JSON can
// read, and the cuts make no difference.
#include "net/head_check.hpp"
#include "net/help_page.hpp"
#include "net/introduction.hpp"
#include "net/upgrade.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/write.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <random>
#include <sstream>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

using namespace tandem;
using namespace tandem::net;

namespace http = boost::beast::http;

namespace {

std::vector<route> make_routes() {
  route pool{"/client/{key}", "/v1/{key}/worker"};
  pool.pools = true;
  pool.max_capacity = 64;
  pool.sticky_by = {request_value::part::cookie, "user"};
  pool.priority_by = {request_value::part::query, "level"};
  pool.open_headers = {"Origin", "X-User"};
  pool.subprotocols = {"chat"};
  route shared{"/shared/{key}", "/shared/{key}/worker"};
  shared.shares = true;
  shared.sticky_by = {request_value::part::query, "user"};
  return {pool, shared};
}

const std::vector<route> routes = make_routes();

using result = std::variant<route_match, route_fault>;

void require(bool holds) {
  if (!holds)
    std::abort();
}

void check_claim(const peer_info& who, const claim& asked) {
  const auto& where = routes.at(who.route);
  require(asked.key == who.key && asked.side == who.side && asked.route == who.route);
  require(asked.frames == who.frames && asked.capacity == who.capacity);
  require(who.capacity >= 1 && who.capacity <= where.max_capacity);
  require(who.credit >= -1 && who.credit <= int64_t{UINT32_MAX});
  require(asked.priority >= -1000 && asked.priority <= 1000);
  require(asked.sticky == who.sticky && asked.priority == who.priority);
  require(who.target.starts_with('/') == (who.side == role::client));
  require(who.headers.size() <= where.open_headers.size());
  const bool raw = who.frames == framing::raw;
  require(raw ? who.capacity == 1 && who.credit == -1 : asked.subprotocols.empty());
  require(!raw || !where.shares || who.side == role::client);
}

/// What becomes of a request that comes in reads of `next_size` bytes, and then ends.
template <class Size>
result judge(std::string_view text, Size next_size) {
  upgrade_parser parser;
  parser.header_limit(max_request_head);
  head_check check;
  std::string unread;
  while (!parser.is_header_done()) {
    boost::beast::error_code error;
    if (text.empty()) {
      // As Beast's own read does at the end of a stream.
      if (parser.got_some())
        parser.put_eof(error);
      return fault_of(error ? error : http::error::end_of_stream);
    }
    const auto part = text.substr(0, next_size(text.size()));
    text.remove_prefix(part.size());
    if (auto fault = check.feed(part))
      return *fault;
    unread += part;
    // Of the exact size, so that a sanitizer sees one byte too many being read.
    auto exact = std::make_unique<char[]>(unread.size());
    std::ranges::copy(unread, exact.get());
    unread.erase(0, parser.put(boost::asio::buffer(exact.get(), unread.size()), error));
    if (error && error != http::error::need_more)
      return fault_of(error);
  }
  require(wants_html(parser.get()) || parser.get()["Accept"] != "text/html");
  auto judged = judge_request(parser.get(), routes);
  if (const auto* match = std::get_if<route_match>(&judged)) {
    peer_info who;
    claim asked;
    if (auto fault = introduce(parser.get(), *match, routes[match->route], who, asked))
      return *fault;
    check_claim(who, asked);
  }
  return judged;
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (auto c : text) {
    const auto byte = static_cast<unsigned char>(c);
    out += {'%', digits[byte >> 4], digits[byte & 0xF]};
  }
  return out;
}

void check(const route_match& match) {
  require(!match.key.empty() && match.key.size() <= max_key_size);
  require(std::ranges::none_of(match.key, [](unsigned char c) { return c < 0x20 || c == 0x7F; }));
  const auto key = percent_encoded(match.key);
  const auto pattern = match.side == role::client ? routes[match.route].client_path
                                                  : routes[match.route].worker_path;
  auto target = pattern + "?again";
  target.replace(target.find("{key}"), 5, key);
  const auto again = match_target(target, routes);
  require(std::holds_alternative<route_match>(again));
  require(std::get<route_match>(again).side == match.side);
  require(std::get<route_match>(again).route == match.route);
  require(std::get<route_match>(again).key == match.key);
}

void check(const route_fault& fault) {
  require(fault.why != refusal::none && !fault.detail.empty());
  const auto& row = describe(fault.why);
  require(row.status >= 400 && row.status < 500);
  const auto response = make_refusal(fault);
  const auto body = nlohmann::json::parse(response.body(), nullptr, false);
  require(body.is_object() && body["error"] == row.name && body["detail"].is_string());
  std::ostringstream out;
  out << response;
  const auto text = out.str();
  require(text.starts_with("HTTP/1.1 " + std::to_string(row.status) + " "));
  require(text.ends_with("\r\n\r\n" + response.body()));
}

bool same(const result& x, const result& y) {
  if (x.index() != y.index())
    return false;
  if (const auto* match = std::get_if<route_match>(&x))
    return match->side == std::get<route_match>(y).side &&
           match->key == std::get<route_match>(y).key &&
           match->route == std::get<route_match>(y).route;
  return std::get<route_fault>(x).why == std::get<route_fault>(y).why;
}

bool is_too_large(const result& x) {
  const auto* fault = std::get_if<route_fault>(&x);
  return fault != nullptr && fault->why == refusal::head_too_large;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1)
    return 0;
  const std::string_view text{reinterpret_cast<const char*>(data) + 1, size - 1};
  const auto whole = judge(text, [](size_t left) { return left; });
  std::minstd_rand random{data[0]};
  // What is unread is looked at again with each read, so a long text is not cut into single bytes.
  const auto most = (size_t{1} << data[0] % 10) + text.size() / 100;
  const auto cut =
      judge(text, [&](size_t left) { return std::min<size_t>(left, 1 + random() % most); });
  std::visit([](const auto& x) { check(x); }, whole);
  std::visit([](const auto& x) { check(x); }, cut);
  // With a head, or a line of it, that is too large, the cuts decide what is seen first: the size,
  // or some other fault.
  require(is_too_large(whole) || is_too_large(cut) || same(whole, cut));
  return 0;
}
