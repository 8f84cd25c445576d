#include "net/upgrade.hpp"

#include <boost/beast/http/error.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <optional>
#include <string_view>

namespace tandem::net {

namespace http = boost::beast::http;

namespace {

/// 24 characters of base64 that stand for 16 bytes.
bool is_websocket_key(std::string_view key) {
  auto is_base64 = [](unsigned char c) { return std::isalnum(c) != 0 || c == '+' || c == '/'; };
  return key.size() == 24 && key.ends_with("==") &&
         std::ranges::all_of(key.substr(0, 22), is_base64);
}

/// What proves that the server has read the key (RFC 6455, section 4.2.2, step 5.4).
std::string accept_value(std::string_view key) {
  const auto text = std::string{key} + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  std::array<unsigned char, 32> base64{};
  auto n = EVP_EncodeBlock(base64.data(), digest.data(), digest.size());
  return {reinterpret_cast<const char*>(base64.data()), static_cast<size_t>(n)};
}

/// A list may be spread over several fields (RFC 9110, section 5.3).
bool lists(const upgrade_request& request, http::field name, std::string_view token) {
  auto [first, last] = request.equal_range(name);
  return std::any_of(first, last,
                     [&](const auto& x) { return http::token_list{x.value()}.exists(token); });
}

/// By RFC 9112, section 3.2. Empty is a host too.
bool is_host(std::string_view text) {
  return text.find_first_of(" \t,/?#@\\\"<>") == std::string_view::npos;
}

/// What is wrong with the request line and with what frames the message, if anything is. A proxy
/// and a server that take these in different ways can be played off against each other (RFC 9112,
/// section 11.2).
std::optional<route_fault> framing_fault(const upgrade_request& request) {
  auto bad = [](const char* detail) { return route_fault{refusal::bad_request, detail}; };
  if (request.version() != 11)
    return bad("HTTP/1.1 is needed");
  if (request.count(http::field::host) != 1)
    return bad("exactly one Host is needed");
  if (!is_host(request[http::field::host]))
    return bad("the Host is malformed");
  if (request.count(http::field::transfer_encoding) != 0)
    return bad("a request to upgrade has no Transfer-Encoding");
  if (request.count(http::field::content_length) > 1 ||
      (request.count(http::field::content_length) == 1 &&
       request[http::field::content_length] != "0"))
    return bad("a request to upgrade has no body");
  if (request.method() != http::verb::get)
    return route_fault{refusal::bad_method, "the method has to be GET"};
  return std::nullopt;
}

/// What is wrong with it as a request to upgrade, if anything is. By RFC 6455, section 4.2.1.
std::optional<route_fault> upgrade_fault(const upgrade_request& request) {
  if (!lists(request, http::field::upgrade, "websocket") ||
      !lists(request, http::field::connection, "upgrade"))
    return route_fault{refusal::not_a_websocket,
                       "this is a WebSocket: connect with ws:// or wss://, not with HTTP"};
  if (request.count(http::field::sec_websocket_version) > 1)
    return route_fault{refusal::bad_request, "there is more than one Sec-WebSocket-Version"};
  if (request[http::field::sec_websocket_version] != "13")
    return route_fault{refusal::bad_version, "the Sec-WebSocket-Version has to be 13"};
  if (request.count(http::field::sec_websocket_key) != 1 ||
      !is_websocket_key(request[http::field::sec_websocket_key]))
    return route_fault{refusal::bad_request, "the Sec-WebSocket-Key isn't 16 bytes in base64"};
  if (!offered_extensions(request))
    return route_fault{refusal::bad_request,
                       "the Sec-WebSocket-Extensions aren't a list of extensions"};
  return std::nullopt;
}

} // namespace

std::variant<route_match, route_fault> judge_request(const upgrade_request& request,
                                                     std::span<const route> routes) {
  if (auto fault = framing_fault(request))
    return std::move(*fault);
  auto matched = match_target(request.target(), routes);
  const auto* lost = std::get_if<route_fault>(&matched);
  if (lost != nullptr && lost->why != refusal::unknown_route)
    return matched;
  // Ahead of the route: one who doesn't know what this is doesn't know its routes either.
  if (auto fault = upgrade_fault(request))
    return std::move(*fault);
  return matched;
}

route_fault fault_of(boost::beast::error_code error) {
  if (error == http::error::header_limit || error == http::error::buffer_overflow)
    return {refusal::head_too_large,
            "the request's head is larger than " + std::to_string(max_request_head) + " bytes"};
  return {refusal::bad_request, "not an HTTP request: " + error.message()};
}

std::optional<std::vector<extension_offer>> offered_extensions(const upgrade_request& request) {
  std::string all;
  auto [first, last] = request.equal_range(http::field::sec_websocket_extensions);
  for (; first != last; ++first)
    all.append(all.empty() ? "" : ", ").append(first->value());
  return parse_extensions(all);
}

acceptance_response make_acceptance(const upgrade_request& request, std::string_view extensions,
                                    std::string_view subprotocol) {
  acceptance_response response{http::status::switching_protocols, 11};
  response.set(http::field::server, server_name);
  response.set(http::field::upgrade, "websocket");
  response.set(http::field::connection, "Upgrade");
  response.set(http::field::sec_websocket_accept,
               accept_value(request[http::field::sec_websocket_key]));
  if (!extensions.empty())
    response.set(http::field::sec_websocket_extensions, extensions);
  if (!subprotocol.empty())
    response.set(http::field::sec_websocket_protocol, subprotocol);
  return response;
}

refusal_response make_refusal(const route_fault& fault) {
  const auto& row = describe(fault.why);
  refusal_response response{http::int_to_status(row.status), 11};
  response.set(http::field::server, server_name);
  response.set(http::field::content_type, "application/json");
  if (row.status == 426) {
    response.set(http::field::upgrade, "websocket");
    response.set(http::field::sec_websocket_version, "13");
  } else if (fault.why == refusal::bad_method) {
    response.set(http::field::allow, "GET");
  } else if (row.retry_after > 0) {
    response.set(http::field::retry_after, std::to_string(row.retry_after));
  }
  // A detail may quote what a peer sent, which needn't be UTF-8.
  auto replace = nlohmann::json::error_handler_t::replace;
  response.body() =
      nlohmann::json{{"error", row.name}, {"detail", fault.detail}}.dump(-1, ' ', false, replace) +
      "\n";
  response.keep_alive(false);
  response.prepare_payload();
  return response;
}

} // namespace tandem::net
