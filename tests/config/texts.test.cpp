#include "config/endpoint.hpp"
#include "config/nearest.hpp"
#include "config/path_pattern.hpp"
#include "config/problem.hpp"
#include "config/text.hpp"

#include <catch2/catch.hpp>

#include <array>

using namespace tandem::config;

TEST_CASE("an endpoint is a numeric address and a port, or a path") {
  struct row {
    std::string_view text;
    endpoint expected;
  };
  auto [text, expected] = GENERATE(values<row>({
      {"0.0.0.0:8080", {"0.0.0.0", 8080}},
      {"127.0.0.1:0", {"127.0.0.1", 0}},
      {"[::]:8080", {"::", 8080}},
      {"[2001:db8::1]:65535", {"2001:db8::1", 65535}},
      {"[::ffff:1.2.3.4]:1", {"::ffff:1.2.3.4", 1}},
      {"unix:/run/tandem.sock", {"/run/tandem.sock"}},
      {"unix:/run/tandem.sock?mode=600", {"/run/tandem.sock", 0, 0600}},
      {"1.2.3.4:80?compression=on", {"1.2.3.4", 80, 0660, toggle::on}},
      {"unix:/a?mode=600&compression=off", {"/a", 0, 0600, toggle::off}},
      {"127.0.0.1:80?proxy-protocol=on", {"127.0.0.1", 80, 0660, {}, true}},
      {"[::1]:80?proxy-protocol=on&max-connections=5", {"::1", 80, 0660, {}, true, 5}},
      {"unix:/a?mode=666&max-connections=5", {"/a", 0, 0666, {}, false, 5}},
      {"wss://127.0.0.1:443", {"127.0.0.1", 443, 0660, {}, false, 0, true}},
      {"wss://[::1]:443?client-certificates=required",
       {"::1", 443, 0660, {}, false, 0, true, certificate_demand::required}},
      {"wss://[::1]:443?compression=on&client-certificates=off",
       {"::1", 443, 0660, toggle::on, false, 0, true, certificate_demand::off}},
      {"unix:/run/a:b=c&d", {"/run/a:b=c&d"}},
  }));
  CAPTURE(text);
  auto parsed = parse_endpoint(text);
  REQUIRE(std::holds_alternative<endpoint>(parsed));
  CHECK(std::get<endpoint>(parsed) == expected);
  CHECK(to_string(expected) == text);
}

TEST_CASE("what is wrong with an endpoint is named") {
  struct row {
    std::string_view text;
    std::string_view why;
  };
  auto [text, why] = GENERATE(values<row>({
      {"", "has no port"},
      {"1.2.3.4", "has no port"},
      {"[::1]", "has no port"},
      {"1.2.3.4:", "has no port from 0 to 65535 after its last colon"},
      {"1.2.3.4:65536", "has no port from 0 to 65535 after its last colon"},
      {"1.2.3.4:-1", "has no port from 0 to 65535 after its last colon"},
      {"1.2.3.4:80x", "has no port from 0 to 65535 after its last colon"},
      {"1.2.3.4:http", "has no port from 0 to 65535 after its last colon"},
      {":8080", "has no numeric IP address before its port"},
      {"localhost:8080", "has no numeric IP address before its port"},
      {"1.2.3:8080", "has no numeric IP address before its port"},
      {"1.2.3.256:8080", "has no numeric IP address before its port"},
      {"::1:8080", "has an IPv6 address without brackets"},
      {"[]:8080", "has no numeric IPv6 address within its brackets"},
      {"[1.2.3.4]:8080", "has no numeric IPv6 address within its brackets"},
      {"[::g]:8080", "has no numeric IPv6 address within its brackets"},
      {"http://1.2.3.4:80", "has an unknown scheme"},
      {"unix:", "has no absolute path after \"unix:\""},
      {"unix:run/tandem.sock", "has no absolute path after \"unix:\""},
      {"1.2.3.4:80?mode=660", "has a mode, which only a Unix-domain socket can have"},
      {"unix:/a?mode=", "has a mode that isn't one of a file, such as 660"},
      {"unix:/a?mode=888", "has a mode that isn't one of a file, such as 660"},
      {"unix:/a?mode=1777", "has a mode that isn't one of a file, such as 660"},
      {"unix:/a?mod=660", "has the unknown option mod; a listener's options are: mode, "
                          "compression, proxy-protocol, max-connections, "
                          "client-certificates"},
      {"wss://1.2.3.4", "has no port"},
      {"wss://unix:/a", "has no port from 0 to 65535 after its last colon"},
      {"wss://1.2.3.4:80?client-certificates=yes",
       "has client-certificates that are neither off, nor optional, nor required"},
      {"1.2.3.4:80?client-certificates=off",
       "asks for client-certificates, which only a listener with wss:// can"},
      {"1.2.3.4:80?compression", "has a compression that is neither on nor off"},
      {"1.2.3.4:80?compression=yes", "has a compression that is neither on nor off"},
  }));
  CAPTURE(text);
  auto parsed = parse_endpoint(text);
  REQUIRE(std::holds_alternative<std::string>(parsed));
  CHECK(std::get<std::string>(parsed) == why);
}

TEST_CASE("an endpoint may be written as a URL") {
  CHECK(std::get<endpoint>(parse_endpoint("ws://[::]:80")) == endpoint{"::", 80});
  CHECK(std::get<endpoint>(parse_endpoint("unix:/a?mode=0660")) == endpoint{"/a"});
}

TEST_CASE("the path of a socket has at most as many bytes as an address has room for") {
  const auto longest = "/" + std::string(106, 'x');
  CHECK(std::get<endpoint>(parse_endpoint("unix:" + longest)).address == longest);
  CHECK(std::get<std::string>(parse_endpoint("unix:x" + longest)) ==
        "has no absolute path after \"unix:\"");
  CHECK(std::get<std::string>(parse_endpoint("unix:" + longest + "x")) ==
        "has a path of more than 107 bytes");
}

TEST_CASE("an address cut off by a NUL is not an address") {
  using namespace std::string_view_literals;
  CHECK(std::holds_alternative<std::string>(parse_endpoint("1.2.3.4\0.5:80"sv)));
}

TEST_CASE("a pattern has one segment that is the key") {
  struct row {
    std::string_view pattern;
    std::string_view why;
  };
  auto [pattern, why] = GENERATE(values<row>({
      {"/client/{key}", ""},
      {"/{key}", ""},
      {"/a/{key}/b-c.d~e_f:@!$&'()*+,;=", ""},
      {"", R"(does not start with "/")"},
      {"client/{key}", R"(does not start with "/")"},
      {"/client", R"(has no "{key}")"},
      {"/client/{id}", "has a character that a path can't hold as it is"},
      {"/{key}/{key}", R"(has more than one "{key}")"},
      {"/x{key}", R"(has a "{key}" that is only part of a segment)"},
      {"/{key}{key}", R"(has a "{key}" that is only part of a segment)"},
      {"/", "has an empty segment"},
      {"/client//{key}", "has an empty segment"},
      {"/client/{key}/", "has an empty segment"},
      {"/a b/{key}", "has a character that a path can't hold as it is"},
      {"/a?b/{key}", "has a character that a path can't hold as it is"},
      {"/a%20/{key}", "has a character that a path can't hold as it is"},
      {"/\xC3\xA4/{key}", "has a character that a path can't hold as it is"},
  }));
  CAPTURE(pattern);
  CHECK(pattern_fault(pattern) == why);
}

TEST_CASE("a path that two patterns match is found") {
  CHECK(common_path("/client/{key}", "/worker/{key}") == std::nullopt);
  CHECK(common_path("/{key}", "/a/{key}") == std::nullopt);
  CHECK(common_path("/a/{key}", "/a/{key}") == "/a/{key}");
  CHECK(common_path("/a/{key}", "/{key}/b") == "/a/b");
  CHECK(common_path("/{key}/b", "/a/{key}") == "/a/b");
  CHECK(common_path("/a/{key}/x", "/{key}/b/y") == std::nullopt);
}

TEST_CASE("the nearest candidate is suggested, unless it is far") {
  constexpr std::array<std::string_view, 4> candidates{"listen", "log-level", "pair-timeout",
                                                       "drain-timeout"};
  struct row {
    std::string_view word;
    std::optional<std::string_view> expected;
  };
  auto [word, expected] = GENERATE(values<row>({
      {"listen", "listen"},
      {"lsiten", "listen"},
      {"Listen", "listen"},
      {"LISTEN", "listen"},
      {"listne", "listen"},
      {"lisen", "listen"},
      {"loglevel", "log-level"},
      {"log_level", "log-level"},
      {"pair-timeot", "pair-timeout"},
      {"timeout", std::nullopt},
      {"", std::nullopt},
      {"x", std::nullopt},
      {"zzzzzzzzzz", std::nullopt},
  }));
  CAPTURE(word);
  CHECK(nearest(word, candidates) == expected);
  CHECK(nearest(std::string(1 << 20, 'l'), candidates) == std::nullopt);
  CHECK(nearest(word, {}) == std::nullopt);
}

TEST_CASE("a problem is one line with the parts that it has") {
  CHECK(to_string({"a.conf", 3, 7, "key", "is wrong"}) == "a.conf:3:7: key: is wrong");
  CHECK(to_string({"a.conf", 3, 0, "key", "is wrong"}) == "a.conf:3: key: is wrong");
  CHECK(to_string({"a.conf", 0, 0, "", "is wrong"}) == "a.conf: is wrong");
  CHECK(to_string({"", 0, 0, "--key", "is wrong"}) == "--key: is wrong");
  CHECK(to_string({"", 0, 0, "", "is wrong"}) == "is wrong");
}

TEST_CASE("what goes into a message can't disturb a terminal") {
  CHECK(printable("plain \xC3\xA4") == "plain \xC3\xA4");
  CHECK(printable("\x1B[2J\n\x7F") == R"(\x1b[2J\x0a\x7f)");
  CHECK(printable(std::string(100, 'x')) == std::string(60, 'x') + "...");
  CHECK(printable(std::string(59, 'x') + "\xC3\xA4") == std::string(59, 'x') + "...");
}

TEST_CASE("quotes and control characters are escaped as CAF's grammar has it") {
  CHECK(quoted("a\"b\\c\n\r\t") == R"("a\"b\\c\n\r\t")");
}
