#include "net/upgrade.hpp"

#include <boost/asio/buffer.hpp>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

using namespace tandem;
using namespace tandem::net;

namespace http = boost::beast::http;

namespace {

const route where{"/client/{key}", "/worker/{key}"};

/// A request line and headers, to be changed one at a time.
struct request_text {
  std::string line = "GET /client/alpha HTTP/1.1";
  std::multimap<std::string, std::string> headers{
      {"Host", "localhost:8080"},      {"Upgrade", "websocket"},
      {"Connection", "Upgrade"},       {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="},
      {"Sec-WebSocket-Version", "13"},
  };

  request_text& with(const std::string& name, const std::string& value) {
    headers.erase(name);
    headers.emplace(name, value);
    return *this;
  }
  request_text& and_also(const std::string& name, const std::string& value) {
    headers.emplace(name, value);
    return *this;
  }
  request_text& without(const std::string& name) {
    headers.erase(name);
    return *this;
  }
  request_text& asking(std::string text) {
    line = std::move(text);
    return *this;
  }

  std::string text() const {
    auto out = line + "\r\n";
    for (const auto& [name, value] : headers)
      out.append(name).append(": ").append(value).append("\r\n");
    return out + "\r\n";
  }
};

/// What parsing `text` ends with.
boost::beast::error_code parse(upgrade_parser& parser, std::string_view text) {
  boost::beast::error_code error;
  parser.header_limit(max_request_head);
  parser.put(boost::asio::buffer(text), error);
  return error;
}

/// "client KEY", "worker KEY" or "STATUS NAME: DETAIL".
std::string judge(const request_text& x) {
  upgrade_parser parser;
  REQUIRE_FALSE(parse(parser, x.text()));
  REQUIRE(parser.is_header_done());
  auto result = judge_request(parser.get(), {&where, 1});
  if (const auto* match = std::get_if<route_match>(&result))
    return to_string(match->side) + " " + match->key;
  const auto& fault = std::get<route_fault>(result);
  const auto& row = describe(fault.why);
  return std::to_string(row.status) + " " + std::string{row.name} + ": " + fault.detail;
}

constexpr auto no_websocket =
    "426 not_a_websocket: this is a WebSocket: connect with ws:// or wss://, not with HTTP";
constexpr auto wrong_version = "426 bad_version: the Sec-WebSocket-Version has to be 13";
constexpr auto wrong_key = "400 bad_request: the Sec-WebSocket-Key isn't 16 bytes in base64";

} // namespace

TEST_CASE("requests that browsers and libraries send are welcome") {
  struct row {
    request_text request;
    std::string_view expected;
  };
  const request_text usual;
  auto [request, expected] = GENERATE_REF(values<row>({
      {usual, "client alpha"},
      {request_text{}.asking("GET /worker/beta?x=1 HTTP/1.1"), "worker beta"},
      {request_text{}.with("Connection", "keep-alive, Upgrade"), "client alpha"},
      {request_text{}.with("Connection", "keep-alive,upgrade"), "client alpha"},
      {request_text{}.with("Upgrade", "WebSocket"), "client alpha"},
      {request_text{}.with("Upgrade", "h2c, websocket"), "client alpha"},
      {request_text{}.with("Upgrade", "h2c").and_also("Upgrade", "websocket"), "client alpha"},
      {request_text{}.with("Connection", "keep-alive").and_also("Connection", "Upgrade"),
       "client alpha"},
      {request_text{}.with("Host", ""), "client alpha"},
      {request_text{}.with("Host", "[::1]:8080"), "client alpha"},
      {request_text{}.with("Content-Length", "0"), "client alpha"},
      {request_text{}.asking("GET http://other.example/client/alpha HTTP/1.1"), "client alpha"},
      {request_text{}.with("Origin", "https://example.org"), "client alpha"},
      {request_text{}.with("Sec-WebSocket-Extensions", "permessage-deflate"), "client alpha"},
      {request_text{}.with("Sec-WebSocket-Protocol", "chat, superchat"), "client alpha"},
      {request_text{}
           .with("sec-websocket-key", "abcdefghijklmnopqrst+/==")
           .without("Sec-WebSocket-Key"),
       "client alpha"},
  }));
  CHECK(judge(request) == expected);
}

TEST_CASE("what is wrong with a request is named") {
  struct row {
    request_text request;
    std::string_view expected;
  };
  auto [request, expected] = GENERATE_REF(values<row>({
      {request_text{}.asking("GET /client/alpha HTTP/1.0"), "400 bad_request: HTTP/1.1 is needed"},
      {request_text{}.asking("POST /client/alpha HTTP/1.1"),
       "400 bad_method: the method has to be GET"},
      {request_text{}.asking("HEAD /client/alpha HTTP/1.1"),
       "400 bad_method: the method has to be GET"},
      {request_text{}.asking("BREW /client/alpha HTTP/1.1"),
       "400 bad_method: the method has to be GET"},
      {request_text{}.asking("GET / HTTP/1.1"),
       "404 unknown_route: no route here; clients connect to /client/{key} and workers to "
       "/worker/{key}"},
      {request_text{}.asking("GET * HTTP/1.1"),
       "400 bad_request: the target doesn't begin with a slash"},
      {request_text{}.asking("CONNECT localhost:80 HTTP/1.1"),
       "400 bad_method: the method has to be GET"},
      {request_text{}.without("Upgrade"), no_websocket},
      {request_text{}.without("Upgrade").asking("GET / HTTP/1.1"), no_websocket},
      {request_text{}.without("Upgrade").asking("GET /client/%2e%2e HTTP/1.1"),
       "400 bad_request: the target has a segment of dots"},
      {request_text{}.with("Upgrade", "h2c"), no_websocket},
      {request_text{}.with("Upgrade", "websockets"), no_websocket},
      {request_text{}.with("Upgrade", ""), no_websocket},
      {request_text{}.without("Connection"), no_websocket},
      {request_text{}.with("Connection", "keep-alive"), no_websocket},
      {request_text{}.with("Connection", "close"), no_websocket},
      {request_text{}.without("Upgrade").without("Connection"), no_websocket},
      {request_text{}.without("Sec-WebSocket-Version"), wrong_version},
      {request_text{}.with("Sec-WebSocket-Version", "8"), wrong_version},
      {request_text{}.with("Sec-WebSocket-Version", "130"), wrong_version},
      {request_text{}.without("Sec-WebSocket-Key"), wrong_key},
      {request_text{}.with("Sec-WebSocket-Key", ""), wrong_key},
      {request_text{}.with("Sec-WebSocket-Extensions", "permessage-deflate;"),
       "400 bad_request: the Sec-WebSocket-Extensions aren't a list of extensions"},
      {request_text{}.with("Sec-WebSocket-Key", "short=="), wrong_key},
      {request_text{}.with("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZSEh"), wrong_key},
      {request_text{}.with("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==A"), wrong_key},
      {request_text{}.with("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25-ZQ=="), wrong_key},
      {request_text{}.and_also("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="), wrong_key},
      {request_text{}.without("Host"), "400 bad_request: exactly one Host is needed"},
      {request_text{}.and_also("Host", "other"), "400 bad_request: exactly one Host is needed"},
      {request_text{}.with("Host", "a, b"), "400 bad_request: the Host is malformed"},
      {request_text{}.with("Host", "a/b"), "400 bad_request: the Host is malformed"},
      {request_text{}.with("Host", "me@a"), "400 bad_request: the Host is malformed"},
      {request_text{}.and_also("Sec-WebSocket-Version", "13"),
       "400 bad_request: there is more than one Sec-WebSocket-Version"},
      {request_text{}.with("Sec-WebSocket-Version", "13, 8"), wrong_version},
      {request_text{}.with("Content-Length", "5"),
       "400 bad_request: a request to upgrade has no body"},
      {request_text{}.with("Transfer-Encoding", "chunked"),
       "400 bad_request: a request to upgrade has no Transfer-Encoding"},
      {request_text{}.with("Transfer-Encoding", "identity"),
       "400 bad_request: a request to upgrade has no Transfer-Encoding"},
  }));
  CAPTURE(request.text());
  CHECK(judge(request) == expected);
}

TEST_CASE("what isn't HTTP is a bad request") {
  using namespace std::string_view_literals;
  auto text = GENERATE(as<std::string_view>{}, "hello\r\n\r\n", "\x16\x03\x01\x02\x00\x01"sv,
                       "GET\r\n\r\n", "GET /client/a\r\n\r\n", "GET /client/a HTTP/2.0\r\n\r\n",
                       "GET /client/a HTTP/1.1\r\nno colon\r\n\r\n",
                       "GET /client/a HTTP/1.1\r\nA: \x01\r\n\r\n", "\r\n\r\n\r\n\0"sv);
  upgrade_parser parser;
  const auto error = parse(parser, text);
  CAPTURE(text, error.message());
  REQUIRE(error);
  const auto fault = fault_of(error);
  CHECK(fault.why == refusal::bad_request);
  CHECK(fault.detail == "not an HTTP request: " + error.message());
}

TEST_CASE("a head is at most max_request_head long") {
  upgrade_parser parser;
  auto error = parse(parser, request_text{}.with("X", std::string(max_request_head, 'x')).text());
  REQUIRE(error);
  CHECK(fault_of(error).why == refusal::head_too_large);
  CHECK(fault_of(error).detail == "the request's head is larger than 16384 bytes");
  CHECK(fault_of(http::error::buffer_overflow).why == refusal::head_too_large);

  upgrade_parser enough;
  CHECK_FALSE(parse(enough, request_text{}.with("X", std::string(15 << 10, 'x')).text()));
}

TEST_CASE("a refusal says what is wrong in JSON and in its status") {
  auto why = GENERATE(refusal::bad_request, refusal::unknown_route, refusal::bad_method,
                      refusal::key_taken, refusal::not_a_websocket, refusal::bad_version,
                      refusal::head_too_large, refusal::timed_out, refusal::draining,
                      refusal::broker_fault, refusal::too_fast, refusal::too_many_from_address,
                      refusal::full, refusal::overloaded);
  const auto response = make_refusal({why, "some \"detail\""});
  const auto& row = describe(why);
  CAPTURE(row.name);
  CHECK(response.result_int() == row.status);
  CHECK(response.version() == 11);
  CHECK_FALSE(response.keep_alive());
  CHECK(response[http::field::server] == server_name);
  CHECK(response[http::field::content_type] == "application/json");
  CHECK(response[http::field::content_length] == std::to_string(response.body().size()));
  CHECK(nlohmann::json::parse(response.body()) ==
        nlohmann::json{{"error", row.name}, {"detail", "some \"detail\""}});
  CHECK(response.body().ends_with("\n"));
  // What RFC 9110 wants beside some statuses.
  CHECK(response.count(http::field::allow) == (why == refusal::bad_method));
  CHECK(response.count(http::field::retry_after) == (row.status == 429 || row.status == 503));
  CHECK(response.count(http::field::upgrade) == (row.status == 426));
  CHECK((response[http::field::sec_websocket_version] == "13") == (row.status == 426));
}

TEST_CASE("an acceptance proves that the key was read") {
  upgrade_request request;
  // The example of RFC 6455, section 1.3.
  request.set(http::field::sec_websocket_key, "dGhlIHNhbXBsZSBub25jZQ==");
  const auto response = make_acceptance(request, {}, {});
  CHECK(response.result_int() == 101);
  CHECK(response[http::field::sec_websocket_accept] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  CHECK(response[http::field::upgrade] == "websocket");
  CHECK(response[http::field::connection] == "Upgrade");
  CHECK(response.count(http::field::sec_websocket_extensions) == 0);
}

TEST_CASE("an acceptance names the extensions that are agreed on") {
  upgrade_request request;
  request.set(http::field::sec_websocket_key, "dGhlIHNhbXBsZSBub25jZQ==");
  const auto response = make_acceptance(request, "permessage-deflate; x=1", "chat");
  CHECK(response[http::field::sec_websocket_extensions] == "permessage-deflate; x=1");
}

TEST_CASE("several fields with extensions are one list") {
  upgrade_request request;
  CHECK(offered_extensions(request)->empty());
  request.insert(http::field::sec_websocket_extensions, "a; x, b");
  request.insert(http::field::sec_websocket_extensions, "c");
  const auto offers = offered_extensions(request);
  REQUIRE(offers);
  REQUIRE(offers->size() == 3);
  CHECK(offers->at(2).name == "c");
  request.insert(http::field::sec_websocket_extensions, "d;");
  CHECK_FALSE(offered_extensions(request));
}

TEST_CASE("a refusal is JSON whatever bytes its detail quotes") {
  const auto response = make_refusal({refusal::bad_request, "quoted: \xFF\xC0\"\n"});
  const auto body = nlohmann::json::parse(response.body(), nullptr, false);
  REQUIRE_FALSE(body.is_discarded());
  CHECK(body["error"] == "bad_request");
}
