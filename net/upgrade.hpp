/// The HTTP side of the handshake, without any I/O. For the front alone: this header brings in
/// Beast.
#pragma once

#include "net/deflate_offer.hpp"
#include "net/route.hpp"

#include <boost/beast/core/error.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

namespace tandem::net {

using upgrade_request = boost::beast::http::request<boost::beast::http::empty_body>;
using upgrade_parser = boost::beast::http::request_parser<boost::beast::http::empty_body>;
using acceptance_response = boost::beast::http::response<boost::beast::http::empty_body>;
using refusal_response = boost::beast::http::response<boost::beast::http::string_body>;

/// The largest head of a request, in bytes.
inline constexpr uint32_t max_request_head = 16 << 10;

/// What the responses of this server call themselves.
inline constexpr auto server_name = "tandem/" TANDEM_VERSION;

/// Checks a request by RFC 6455, section 4.2.1, and finds out who asks for what. The match points
/// into the request. Any thread.
std::variant<route_match, route_fault> judge_request(const upgrade_request& request,
                                                     std::span<const route> routes);

/// What to tell a peer whose request didn't parse. Any thread.
route_fault fault_of(boost::beast::error_code error);

/// The extensions that a request offers, over all fields of that name; nothing if they break the
/// grammar. Any thread.
std::optional<std::vector<extension_offer>> offered_extensions(const upgrade_request& request);

/// The answer that upgrades, to a request that was judged well (RFC 6455, section 4.2.2).
/// `extensions` and `subprotocol` are what is agreed on; may be empty. Any thread.
acceptance_response make_acceptance(const upgrade_request& request, std::string_view extensions,
                                    std::string_view subprotocol);

/// The answer that refuses: a status and a JSON body that names the fault. Any thread.
refusal_response make_refusal(const route_fault& fault);

} // namespace tandem::net
