#include "tests/bench/load/handshake.hpp"

#include <catch2/catch.hpp>

using namespace tandem::bench;
using state = upgrade_response::state;

namespace {

/// The example of RFC 6455, section 1.3.
constexpr std::string_view key = "dGhlIHNhbXBsZSBub25jZQ==";
constexpr std::string_view accepted = "HTTP/1.1 101 Switching Protocols\r\n"
                                      "upgrade: WebSocket\r\n"
                                      "Connection: keep-alive, Upgrade\r\n"
                                      "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
                                      "\r\n";

std::string refusal(std::string_view text) {
  upgrade_response response{key};
  auto said = response.feed(text);
  if (said == state::incomplete)
    said = response.finish();
  CHECK(said == state::refused);
  return response.error();
}

} // namespace

TEST_CASE("the accept key is that of the RFC's example") {
  CHECK(accept_key(key) == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

TEST_CASE("a key is 16 bytes in base64, and never the same") {
  CHECK(make_key(1).size() == 24);
  CHECK(make_key(1).ends_with("=="));
  CHECK(make_key(1) != make_key(2));
}

TEST_CASE("the request names host, path and key") {
  auto where = std::get<target>(parse_url("ws://[::1]:81/c/{id}"));
  auto request = upgrade_request(where, "7", key);
  CHECK(request.starts_with("GET /c/7 HTTP/1.1\r\nHost: [::1]:81\r\n"));
  CHECK(request.find("\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n") != std::string::npos);
  CHECK(request.ends_with("\r\n\r\n"));
}

TEST_CASE("an upgrade is accepted, byte by byte too, and what follows it is kept") {
  upgrade_response at_once{key};
  CHECK(at_once.feed(std::string{accepted} + "frames") == state::accepted);
  CHECK(at_once.rest() == "frames");
  upgrade_response slowly{key};
  for (size_t i = 0; i + 1 < accepted.size(); ++i)
    CHECK(slowly.feed(accepted.substr(i, 1)) == state::incomplete);
  CHECK(slowly.feed("\n") == state::accepted);
  CHECK(slowly.rest().empty());
}

TEST_CASE("compression is offered and has to be accepted where it is wanted") {
  auto where = std::get<target>(parse_url("ws://[::1]:81/c/{id}"));
  constexpr std::string_view offer = "\r\nSec-WebSocket-Extensions: permessage-deflate\r\n";
  CHECK(upgrade_request(where, "7", key).find(offer) == std::string::npos);
  CHECK(upgrade_request(where, "7", key, true).find(offer) != std::string::npos);
  auto agreed = std::string{accepted.substr(0, accepted.size() - 4)} + std::string{offer} + "\r\n";
  CHECK(upgrade_response{key, true}.feed(agreed) == state::accepted);
  upgrade_response silent{key, true};
  CHECK(silent.feed(accepted) == state::refused);
  CHECK(silent.error() == "the server doesn't compress");
}

TEST_CASE("a refusal is quoted with its body") {
  constexpr std::string_view text =
      "HTTP/1.1 409 Conflict\r\nContent-Length: 15\r\n\r\n{\"error\":\"key\"}";
  CHECK(refusal(text) == "HTTP/1.1 409 Conflict: {\"error\":\"key\"}");
  upgrade_response slowly{key};
  CHECK(slowly.feed(text.substr(0, 50)) == state::incomplete);
  CHECK(slowly.feed(text.substr(50)) == state::refused);
  CHECK(refusal("HTTP/1.1 500 Oops\r\n\r\nuntil the end") == "HTTP/1.1 500 Oops: until the end");
}

TEST_CASE("an upgrade that isn't one is refused") {
  auto without = [](std::string_view line) {
    std::string text{accepted};
    return text.erase(text.find(line), line.size());
  };
  CHECK(refusal(without("upgrade: WebSocket\r\n")).find("no upgrade") != std::string::npos);
  CHECK(refusal(without("keep-alive, Upgrade")).find("no upgrade") != std::string::npos);
  CHECK(refusal(without("s3pP")).find("Sec-WebSocket-Accept") != std::string::npos);
  auto text = std::string{accepted.substr(0, accepted.size() - 2)};
  CHECK(refusal(text + "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n").find("extension") !=
        std::string::npos);
  CHECK(refusal("").find("without an answer") != std::string::npos);
  CHECK(refusal("SSH-2.0-OpenSSH\r\n").find("no HTTP") != std::string::npos);
  CHECK(refusal(std::string(100'000, 'x')).find("no HTTP") != std::string::npos);
}
