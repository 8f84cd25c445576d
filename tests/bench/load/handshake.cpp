#include "tests/bench/load/handshake.hpp"

#include "tests/bench/load/mix.hpp"

#include <boost/uuid/detail/sha1.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <optional>
#include <vector>

namespace tandem::bench {

namespace {

/// More than that of an answer is of no use to a reader of error messages.
constexpr size_t most_of_answer = size_t{16} * 1024;

std::string base64(const std::vector<uint8_t>& in) {
  constexpr std::string_view digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (size_t i = 0; i < in.size(); i += 3) {
    auto at = [&](size_t k) { return k < in.size() ? uint32_t{in[k]} : 0U; };
    auto group = at(i) << 16 | at(i + 1) << 8 | at(i + 2);
    for (size_t k = 0; k < 4; ++k)
      out += i + k > in.size() ? '=' : digits[group >> (18 - 6 * k) & 0x3F];
  }
  return out;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
    return std::tolower(x) == std::tolower(y);
  });
}

std::string_view trim(std::string_view text) {
  auto from = text.find_first_not_of(" \t");
  if (from == std::string_view::npos)
    return {};
  return text.substr(from, text.find_last_not_of(" \t") - from + 1);
}

/// True if the comma-separated `list` has `token`.
bool has_token(std::string_view list, std::string_view token) {
  while (!list.empty()) {
    auto end = std::min(list.find(','), list.size());
    if (equal_ignoring_case(trim(list.substr(0, end)), token))
      return true;
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return false;
}

std::optional<size_t> parse_length(std::string_view text) {
  size_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  return value;
}

} // namespace

std::string accept_key(std::string_view key) {
  constexpr std::string_view guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  boost::uuids::detail::sha1 hash;
  hash.process_bytes(key.data(), key.size());
  hash.process_bytes(guid.data(), guid.size());
  boost::uuids::detail::sha1::digest_type words;
  hash.get_digest(words);
  std::vector<uint8_t> bytes;
  for (auto word : words)
    for (int shift = 24; shift >= 0; shift -= 8)
      bytes.push_back(static_cast<uint8_t>(word >> shift));
  return base64(bytes);
}

std::string make_key(uint64_t random) {
  std::vector<uint8_t> bytes;
  for (auto word : {mix(random), mix(~random)})
    for (int shift = 56; shift >= 0; shift -= 8)
      bytes.push_back(static_cast<uint8_t>(word >> shift));
  return base64(bytes);
}

std::string upgrade_request(const target& where, std::string_view id, std::string_view key,
                            bool compressed) {
  return fmt::format("GET {} HTTP/1.1\r\n"
                     "Host: {}\r\n"
                     "Upgrade: websocket\r\n"
                     "Connection: Upgrade\r\n"
                     "Sec-WebSocket-Key: {}\r\n"
                     "Sec-WebSocket-Version: 13\r\n"
                     "{}\r\n",
                     where.path_of(id), where.host, key,
                     compressed ? "Sec-WebSocket-Extensions: permessage-deflate\r\n" : "");
}

upgrade_response::upgrade_response(std::string_view key, bool compressed)
    : accept_(accept_key(key)), compressed_(compressed) {}

upgrade_response::state upgrade_response::feed(std::string_view bytes) {
  text_ += bytes;
  return judge(false);
}

upgrade_response::state upgrade_response::finish() {
  return judge(true);
}

std::string_view upgrade_response::rest() const noexcept {
  return std::string_view{text_}.substr(head_size_);
}

upgrade_response::state upgrade_response::judge(bool at_end) {
  auto end = text_.find("\r\n\r\n");
  if (end == std::string::npos) {
    if (!at_end && text_.size() < most_of_answer)
      return state::incomplete;
    return refuse(text_.empty() ? "closed without an answer to the handshake"
                                : "the answer to the handshake is no HTTP");
  }
  head_size_ = end + 4;
  auto status = trim(std::string_view{text_}.substr(0, text_.find("\r\n")));
  if (!status.starts_with("HTTP/1.1 "))
    return refuse(fmt::format("the answer to the handshake is no HTTP/1.1: {}", status));
  if (!status.starts_with("HTTP/1.1 101")) {
    auto whole = rest().size() >= parse_length(header("Content-Length")).value_or(most_of_answer);
    if (!at_end && !whole)
      return state::incomplete;
    return refuse(fmt::format("{}{}{}", status, rest().empty() ? "" : ": ", rest()));
  }
  if (!equal_ignoring_case(header("Upgrade"), "websocket") ||
      !has_token(header("Connection"), "upgrade"))
    return refuse("the answer has status 101, but no upgrade to websocket");
  if (header("Sec-WebSocket-Accept") != accept_)
    return refuse("Sec-WebSocket-Accept is missing or wrong");
  auto extension = header("Sec-WebSocket-Extensions");
  if (compressed_ && !extension.starts_with("permessage-deflate"))
    return refuse("the server doesn't compress");
  if (!compressed_ && !extension.empty())
    return refuse("the server chose an extension that nobody offered");
  return state::accepted;
}

upgrade_response::state upgrade_response::refuse(std::string text) {
  error_ = std::move(text);
  return state::refused;
}

std::string_view upgrade_response::header(std::string_view name) const {
  auto head = std::string_view{text_}.substr(0, head_size_);
  while (!head.empty()) {
    auto end = std::min(head.find("\r\n"), head.size());
    auto line = head.substr(0, end);
    if (auto colon = line.find(':');
        colon != std::string_view::npos && equal_ignoring_case(line.substr(0, colon), name))
      return trim(line.substr(colon + 1));
    head.remove_prefix(std::min(end + 2, head.size()));
  }
  return {};
}

} // namespace tandem::bench
