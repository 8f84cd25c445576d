#include "reading.hpp"

#include <catch2/catch.hpp>

using namespace tandem::config;
using namespace std::chrono_literals;

TEST_CASE("a faulty config file gets one clear problem per fault") {
  struct row {
    std::string_view text;
    strings expected;
  };
  auto [text, expected] = GENERATE(values<row>({
      // Keys and sections.
      {"pair-timeot = 5min", {"1: pair-timeot: unknown option; did you mean pair-timeout?"}},
      {"xyzzy = 5", {"1: xyzzy: unknown option"}},
      {"\n\nheartbeat = 5s",
       {"3: heartbeat: unknown option; it is a section: write [heartbeat], and its options below"}},
      {"timeout = 5s", {"1: timeout: unknown option; it belongs in the section [heartbeat]"}},
      {"max-thread = 5",
       {"1: max-thread: unknown option; did you mean max-threads, in the section [scheduler]?"}},
      {"[heartbeat]\npair-timeout = 1s",
       {"2: heartbeat.pair-timeout: unknown option; it belongs among the global options, above the "
        "first [SECTION] or below [global]"}},
      {"[hartbeat]\ntimeout = 5s\nx = 1",
       {"1: [hartbeat]: unknown section; did you mean [heartbeat]?"}},
      {"[logger]", {"1: [logger]: unknown section"}},
      {"[a.b.c]\nx = 1", {"1: [a]: unknown section"}},
      {"[heartbeat.x]\ny = 1", {"1: [heartbeat.x]: unknown section; did you mean [heartbeat]?"}},
      {"listen { x = 1 }",
       {R"(1: [listen]: is an option, not a section; takes a list of at least one "ADDRESS:PORT", "wss://ADDRESS:PORT" or "unix:PATH", such as ["0.0.0.0:8080", "[::]:8080"])"}},
      {"drain-timeout = 1s\n\ndrain-timeout = 2s",
       {"3: drain-timeout: is set for the second time, after line 1"}},
      {"[heartbeat]\ntimeout = 1s\n[global]\n[heartbeat]\ntimeout = 1s",
       {"5: heartbeat.timeout: is set for the second time, after line 2"}},
      // Values.
      {"stall-timeout = 5",
       {"1: stall-timeout: takes a duration from 100ms to 1h, such as 30s, but this is the number "
        "5"}},
      {"stall-timeout = \"5 parsecs\"",
       {R"(1: stall-timeout: takes a duration from 100ms to 1h, such as 30s, but this is the text "5 parsecs")"}},
      {"stall-timeout = 2h",
       {"1: stall-timeout: 2h is out of range; takes a duration from 100ms to 1h, such as 30s"}},
      {"stall-timeout = 9999999999h",
       {"1: stall-timeout: 9999999999h is out of range; takes a duration from 100ms to 1h, such as "
        "30s"}},
      {"stall-timeout = 100500us",
       {"1: stall-timeout: 100500us is no whole number of milliseconds; takes a duration from "
        "100ms "
        "to 1h, such as 30s"}},
      {"stall-timeout = 010s",
       {"1: stall-timeout: 010s is octal by its leading zero; takes a duration from 100ms to 1h, "
        "such as 30s"}},
      {"relay-window = \"64 KB\"",
       {R"(1: relay-window: takes a size from 16 KiB to 1 GiB, such as "256 KiB", but this is the text "64 KB")"}},
      {"relay-window = 0200000",
       {R"(1: relay-window: 0200000 is octal by its leading zero; takes a size from 16 KiB to 1 GiB, such as "256 KiB")"}},
      {"pending-bytes = -1",
       {R"(1: pending-bytes: -1 is out of range; takes a size from 1 B to 1 GiB (0: none), such as "64 KiB")"}},
      {"on-conflict = 'fight'",
       {R"(1: on-conflict: 'fight' is unknown; takes "reject" or "replace")"}},
      {"on-conflict = true",
       {R"(1: on-conflict: takes "reject" or "replace", but this is the boolean true)"}},
      {"client-path = \"/x\"",
       {R"(1: client-path: "/x" has no "{key}"; takes a path that starts with "/" and has one segment "{key}", such as "/client/{key}")"}},
      {"listen = \"1.2.3.4:80\"",
       {R"(1: listen: takes a list of at least one "ADDRESS:PORT", "wss://ADDRESS:PORT" or "unix:PATH", such as ["0.0.0.0:8080", "[::]:8080"], but this is the text "1.2.3.4:80")"}},
      {"listen = [\n \"1.2.3.4:80\", ; fine\n 80,\n \"x:1\",\n \"1.2.3.4:80\", {a = 1}, [\n] ]",
       {"3: listen: the number 80 is no text in double quotes",
        R"(4: listen: "x:1" has no numeric IP address before its port)",
        R"(5: listen: "1.2.3.4:80" is listed twice)",
        "5: listen: a { } block is no text in double quotes",
        "5: listen: a list is no text in double quotes"}},
      {"listen = []",
       {R"(1: listen: is empty; takes a list of at least one "ADDRESS:PORT", "wss://ADDRESS:PORT" or "unix:PATH", such as ["0.0.0.0:8080", "[::]:8080"])"}},
      {"trusted-proxies = [\"10.0.0.0/8\", \"proxy\", \"10.0.0.0/33\"]",
       {R"(1: trusted-proxies: "proxy" is neither a numeric IP address, nor a network such as "10.0.0.0/8", nor "unix")",
        R"(1: trusted-proxies: "10.0.0.0/33" has no number of bits from 0 to 32 after its slash)"}},
      {"listen = [\"127.0.0.1:80?proxy-protocol\"]",
       {R"(1: listen: "127.0.0.1:80?proxy-protocol=on" lets nobody in: set trusted-proxies to the addresses of the proxies that may send a PROXY header)"}},
      {"listen = [\"127.0.0.1:80?proxy-protocol\"]\ntrusted-proxies = [\"unix\"]", {}},
      {"listen = [\"wss://127.0.0.1:80\"]",
       {R"(1: listen: "wss://127.0.0.1:80" has no certificate to show: set tls.certificates and tls.private-keys)"}},
      {"[tls]\ncertificates = [\"\", \"a\"]", {R"(2: tls.certificates: "" is no name of a file)"}},
      {"[tls]\ncertificates = \"a\"",
       {R"(2: tls.certificates: takes a list of names of files, such as ["/etc/tandem/fullchain.pem"], but this is the text "a")"}},
      {"[tls]\ncertificates = [\"a\", \"b\"]\nprivate-keys = [\"a\"]",
       {"3: tls.private-keys: has 1 names for the 2 of tls.certificates; takes one for each, in "
        "the same order"}},
      {"listen = [\"wss://[::]:1\"]\n[tls]\ncertificates = [\"a\"]\nclient-certificates = "
       "\"optional\"",
       {R"(4: tls.client-certificates: "wss://[::]:1" asks for certificates: set tls.client-ca to the authorities that sign them)"}},
      {"[tls]\nclient-ca = 1",
       {R"(2: tls.client-ca: takes the name of a file, such as "/etc/tandem/clients-ca.pem", but this is the number 1)"}},
      {"[tls]\nmin-version = \"1.1\"",
       {R"(2: tls.min-version: "1.1" is unknown; takes "1.2" or "1.3")"}},
      {"listen = [\"127.0.0.1:80?max-connections=0\", \"127.0.0.1:81?proxy-protocol=yes\"]",
       {R"(1: listen: "127.0.0.1:80?max-connections=0" has no number from 1 up for max-connections)",
        R"(1: listen: "127.0.0.1:81?proxy-protocol=yes" has a value for proxy-protocol, which takes none)"}},
      {"extensions = [\"a\", \"a\"]", {R"(1: extensions: "a" is listed twice)"}},
      // Both together.
      {"client-path = \"/a/{key}\"\nworker-path = \"/{key}/b\"",
       {R"(2: worker-path: /a/b would fit both "/{key}/b" and client-path, which is "/a/{key}")"}},
      {"client-path = \"/worker/{key}\"",
       {R"(1: client-path: /worker/{key} would fit both "/worker/{key}" and worker-path, which is "/worker/{key}")"}},
      {"client-path = \"/\"\nworker-path = \"/client/{key}\"",
       {R"(1: client-path: "/" has an empty segment; takes a path that starts with "/" and has one segment "{key}", such as "/client/{key}")"}},
  }));
  CAPTURE(text);
  CHECK(read_text(text).problems == expected);
}

TEST_CASE("a syntax error names its line and column, and what would be right") {
  struct row {
    std::string_view text;
    std::string_view expected;
  };
  auto [text, expected] = GENERATE(values<row>({
      {"log-level = info",
       R"(1:13: log-level: unexpected 'info'; takes "trace", "debug", "info", "warning", "error" or "off")"},
      {"log-level = trace",
       R"(1:13: log-level: unexpected 'trace'; takes "trace", "debug", "info", "warning", "error" or "off")"},
      {"log-level = 'everythings'",
       R"(1:24: log-level: an atom has at most 10 characters: write it in double quotes; takes "trace", "debug", "info", "warning", "error" or "off")"},
      {"log-level = \"\\q\"",
       R"(1:15: log-level: only \n, \r, \t, \\ and \" may follow a backslash; takes "trace", "debug", "info", "warning", "error" or "off")"},
      {"log-level = \"info\n",
       R"(1:18: log-level: the line ends too early; takes "trace", "debug", "info", "warning", "error" or "off")"},
      {"drain-timeout = 5m\n",
       "1:19: drain-timeout: the line ends too early; takes a duration from 1ms to 1h (0: don't "
       "wait), such as 10s"},
      {"drain-timeout = 1.5s",
       "1:20: drain-timeout: a duration has no fraction; takes a duration from 1ms to 1h (0: don't "
       "wait), such as 10s"},
      {"drain-timeout = 5 min",
       "1:19: drain-timeout: unexpected 'min' after the value; takes a duration from 1ms to 1h (0: "
       "don't wait), such as 10s"},
      {"drain-timeout =",
       "1:16: drain-timeout: the file ends too early; takes a duration from 1ms to 1h (0: don't "
       "wait), such as 10s"},
      {"drain-timeout",
       R"(1:14: the file ends too early; a line is KEY = VALUE, [SECTION] or a comment that begins with ";")"},
      {"drain-timeout 5s",
       R"(1:15: unexpected '5s'; a line is KEY = VALUE, [SECTION] or a comment that begins with ";")"},
      {"drain-timeout: 5s",
       R"(1:14: unexpected ':'; a line is KEY = VALUE, [SECTION] or a comment that begins with ";")"},
      {"pending-bytes = 64KiB",
       R"(1:19: pending-bytes: unexpected 'KiB' after the value; takes a size from 1 B to 1 GiB (0: none), such as "64 KiB")"},
      {"pending-bytes = 99999999999999999999",
       R"(1:35: pending-bytes: the number has too many digits; takes a size from 1 B to 1 GiB (0: none), such as "64 KiB")"},
      {"# a comment", R"(1:1: unexpected '#'; a comment begins with ";")"},
      {"drain-timeout = 5s # a comment",
       R"(1:20: drain-timeout: unexpected '#'; a comment begins with ";"; takes a duration from 1ms to 1h (0: don't wait), such as 10s)"},
      {"scheduler.max-threads = 4",
       "1:10: unexpected '.'; the options of a section stand below its [NAME], without it"},
      {"[heart beat]", "1:8: unexpected 'beat'; a section is [NAME]"},
      {"[]", "1:2: unexpected ']'; a section is [NAME]"},
      {"drain-timeout = 5s\n}",
       R"(2:1: unexpected '}'; a line is KEY = VALUE, [SECTION] or a comment that begins with ";")"},
      {"\xC3\xA4 = 1",
       "1:1: unexpected '\xC3\xA4'; a line is KEY = VALUE, [SECTION] or a comment that begins with "
       "\";\""},
      {"drain-timeout = 5s\rx", "1:19: drain-timeout: unexpected '\\x0d' after the value; takes a "
                                "duration from 1ms to 1h (0: don't wait), such as 10s"},
      {"extensions = [\"a\" \"b\"]",
       R"(1:19: extensions: unexpected '"' in the list that begins in line 1, whose values are separated by commas; takes a list of names of actor types, such as ["greeter"])"},
      {"extensions = [\n\n\"a\"\n",
       R"(3:4: extensions: the file ends too early in the list that begins in line 1; takes a list of names of actor types, such as ["greeter"])"},
  }));
  CAPTURE(text);
  auto problems = read_text(text).problems;
  REQUIRE(problems.size() == 1);
  CHECK(problems.front() == expected);
}

TEST_CASE(
    "two settings on a line are refused, where CAF would move the second to the global section") {
  auto [values, problems] = read_text("[heartbeat]\nclient-interval = 1s drain-timeout = 1s\n");
  CHECK(problems == strings{"2:22: heartbeat.client-interval: unexpected 'drain-timeout' after the "
                            "value; takes a duration from 50ms to 1h (0: no pings), such as 30s"});
  CHECK(values.drain_timeout == 10s);
}

TEST_CASE("all problems are reported, in the order of the file, past every syntax error") {
  auto [values, problems] = read_text("pair-timeot = 1s\n"
                                      "on-conflict = replace\n"
                                      "listen = [\"1.2.3.4:80\"\n"
                                      "relay-window = 1\n"
                                      "[heartbeat]\n"
                                      "timeout = 1s x\n"
                                      "timeot = 1s\n"
                                      "[sche duler]\n"
                                      "foo = 1\n"
                                      "[scheduler]\n"
                                      "max-threads = 0.5\n"
                                      "bar = 1");
  REQUIRE(problems.size() == 9);
  constexpr std::string_view begins[] = {
      "1: pair-timeot: ",    "2:15: on-conflict: ",       "4:1: listen: ",
      "4: relay-window: ",   "6:14: heartbeat.timeout: ", "7: heartbeat.timeot: ",
      "8:7: unexpected 'du", "11: scheduler.max-threads", "12: scheduler.bar: "};
  for (size_t i = 0; i < problems.size(); ++i) {
    CAPTURE(problems[i]);
    CHECK(problems[i].starts_with(begins[i]));
  }
}

TEST_CASE("what was right before a problem is kept, what wasn't leaves the default") {
  auto [values, problems] = read_text("pair-timeout = 1s\nrelay-window = 1\n");
  CHECK(problems.size() == 1);
  CHECK(values.pair_timeout == 1s);
  CHECK(values.relay_window == settings{}.relay_window);
}

TEST_CASE("a file that is no config file is not read to its end") {
  using namespace std::string_view_literals;
  std::string garbage;
  for (int i = 0; i < 1000; ++i)
    garbage.append("a = b\n");
  auto problems = read_text(garbage).problems;
  REQUIRE(problems.size() == 20);
  CHECK(problems.back() == "20:5: a: unexpected 'b'; the rest isn't checked");

  std::string unknown;
  for (int i = 0; i < 1000; ++i)
    unknown.append("a = 1\n");
  problems = read_text(unknown).problems;
  REQUIRE(problems.size() == 101);
  CHECK(problems.back() == " there are more problems, which aren't shown");

  CHECK(read_text("drain-timeout = 1s\n\0"sv).problems ==
        strings{"2:1: a NUL byte: this is no text file"});
  CHECK(read_text("\xFF\xFE[\0"sv).problems == strings{"1:1: this is UTF-16; save it as UTF-8"});
}

TEST_CASE("nesting has an end before the stack has") {
  auto deep = std::string(1 << 20, '[');
  CHECK(read_text("listen = " + deep)
            .problems.front()
            .starts_with("1:25: listen: more than 16 levels of lists and sections; takes "));
  std::string header = "[";
  for (int i = 0; i < 100000; ++i)
    header.append("a.");
  CHECK(read_text(header + "a]").problems.size() == 2);
}
