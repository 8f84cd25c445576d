#include "tests/bench/load/url.hpp"

#include <catch2/catch.hpp>

#include <cstring>
#include <netinet/in.h>

using namespace tandem::bench;

TEST_CASE("an IPv4 address with a port") {
  auto parsed = parse_url("ws://127.0.0.1:8080/client/{id}?capacity=1");
  REQUIRE(std::holds_alternative<target>(parsed));
  const auto& where = std::get<target>(parsed);
  CHECK(where.host == "127.0.0.1:8080");
  CHECK(where.path_of("x-7") == "/client/x-7?capacity=1");
  sockaddr_in address{};
  std::memcpy(&address, &where.address, sizeof address);
  CHECK(address.sin_family == AF_INET);
  CHECK(ntohs(address.sin_port) == 8080);
  CHECK(ntohl(address.sin_addr.s_addr) == 0x7F000001);
}

TEST_CASE("an IPv6 address stands in brackets") {
  auto parsed = parse_url("ws://[::1]:9/w");
  REQUIRE(std::holds_alternative<target>(parsed));
  const auto& where = std::get<target>(parsed);
  CHECK(where.host == "[::1]:9");
  sockaddr_in6 address{};
  std::memcpy(&address, &where.address, sizeof address);
  CHECK(address.sin6_family == AF_INET6);
  CHECK(ntohs(address.sin6_port) == 9);
}

TEST_CASE("port 80 and the path / need not be said, and localhost needs no resolver") {
  auto parsed = parse_url("ws://localhost");
  REQUIRE(std::holds_alternative<target>(parsed));
  const auto& where = std::get<target>(parsed);
  CHECK(where.host == "localhost");
  CHECK(where.path_of("x") == "/");
  sockaddr_in address{};
  std::memcpy(&address, &where.address, sizeof address);
  CHECK(ntohs(address.sin_port) == 80);
}

TEST_CASE("wss is TLS, at port 443 if none is said") {
  const auto where = std::get<target>(parse_url("wss://localhost/x"));
  CHECK(where.tls);
  sockaddr_in address{};
  std::memcpy(&address, &where.address, sizeof address);
  CHECK(ntohs(address.sin_port) == 443);
  CHECK_FALSE(std::get<target>(parse_url("ws://localhost/x")).tls);
}

TEST_CASE("the id may stand anywhere in the path, any number of times") {
  auto where = std::get<target>(parse_url("ws://1.2.3.4/{id}/x?again={id}"));
  CHECK(where.path_of("a{id}") == "/a{id}/x?again=a{id}");
}

TEST_CASE("what is no address is refused, with a reason") {
  for (auto url : {"", "http://127.0.0.1/", "wss://", "ws://", "ws:///x", "ws://example.org/x",
                   "ws://127.0.0.1:0/", "ws://127.0.0.1:65536/", "ws://127.0.0.1:/",
                   "ws://127.0.0.1:80x/", "ws://[::1/", "ws://[::1]80/", "ws://::1/",
                   "ws://127.0.0.1/a b", "ws://127.0.0.1/a#b", "ws://127.0.0.1/\r\nX: y"}) {
    INFO(url);
    auto parsed = parse_url(url);
    REQUIRE(std::holds_alternative<bad_input>(parsed));
    CHECK_FALSE(std::get<bad_input>(parsed).text.empty());
  }
}
