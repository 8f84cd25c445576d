#include "config/options.hpp"
#include "config/text.hpp"
#include "reading.hpp"

#include <catch2/catch.hpp>

using namespace tandem::config;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view paths_a = "client-path = \"/a/{key}\"\nworker-path = \"/a/{key}/w\"\n";
constexpr std::string_view paths_b = "client-path = \"/b/{key}\"\nworker-path = \"/b/{key}/w\"\n";

/// A file with one route, whose section begins in line 1, and what it sets beside its paths from
/// line 4 on.
std::string route_with(std::string_view text) {
  return "[route.a]\n" + std::string{paths_a}.append(text);
}

} // namespace

TEST_CASE("a route has its own values, and the global ones for the rest") {
  auto [values, problems] =
      read_text("stall-timeout = 7s\nmessage-rate = 5\n[route.a]\n" + std::string{paths_a} +
                "stall-timeout = 1s\nmode = \"pool\"\n[route.b-2]\n" + std::string{paths_b} +
                "[heartbeat]\ntimeout = 1s");
  CHECK(problems.empty());
  CHECK(values.stall_timeout == 7s);
  CHECK(values.mode == pairing_mode::exclusive);
  CHECK(values.heartbeat_timeout == 1s);
  REQUIRE(values.named_routes.size() == 2);
  CHECK(values.routes() == values.named_routes);
  const auto& a = values.named_routes[0];
  CHECK(a.name == "a");
  CHECK(a.own.client_path == "/a/{key}");
  CHECK(a.own.worker_path == "/a/{key}/w");
  CHECK(a.own.stall_timeout == 1s);
  CHECK(a.own.mode == pairing_mode::pool);
  CHECK(a.own.message_rate == 5);
  CHECK(a.own.relay_window == values.relay_window);
  CHECK(a.compression == std::nullopt);
  const auto& b = values.named_routes[1];
  CHECK(b.name == "b-2");
  CHECK(b.own.client_path == "/b/{key}");
  CHECK(b.own.stall_timeout == 7s);
  CHECK(b.own.mode == pairing_mode::exclusive);
}

TEST_CASE("a route has the global values wherever they stand in the file") {
  auto values = read_text(route_with("[global]\nstall-timeout = 7s\n")).settings;
  REQUIRE(values.named_routes.size() == 1);
  CHECK(values.named_routes[0].own.stall_timeout == 7s);
}

TEST_CASE("the sections of a route may be blocks") {
  auto [values, problems] =
      read_text("route {\n a {\n  client-path = \"/a/{key}\", worker-path = \"/w/{key}\"\n"
                "  compression { mode = 'on' }\n }\n}\n[route.b]\n" +
                std::string{paths_b} + "[route.b.compression]\nmode = 'off'\n[route.c]\n" +
                "client-path = \"/c/{key}\"\nworker-path = \"/c/{key}/w\"\n");
  CHECK(problems.empty());
  REQUIRE(values.named_routes.size() == 3);
  CHECK(values.named_routes[0].compression == toggle::on);
  CHECK(values.named_routes[1].compression == toggle::off);
  CHECK(values.named_routes[2].compression == std::nullopt);
  CHECK(values.compression == toggle::off);
}

TEST_CASE("each option of a route's lands in the route, and nowhere else") {
  settings other;
  other.client_path = "/c/{key}";
  other.worker_path = "/c/{key}/w";
  other.subprotocols = {"chat"};
  other.open_headers = {"Origin"};
  other.on_conflict = conflict_policy::replace;
  other.on_peer_loss = loss_policy::wait;
  other.pair_timeout = 1s;
  other.pending_bytes = 1;
  other.select = selection::random;
  other.sticky_by = {request_part::header, "a"};
  other.priority_by = {request_part::query, "b"};
  other.max_waiting = 1;
  other.wait_timeout = 1s;
  other.max_capacity = 1;
  other.raw_reuse = reuse_policy::keep;
  other.relay_window = 1 << 20;
  other.max_message_size = 1;
  other.message_rate = 1;
  other.byte_rate = 1;
  other.stall_timeout = 1s;
  other.compression = toggle::on;
  for (const auto& row : options()) {
    if (!row.is_by_route() || row.name == "mode")
      continue;
    CAPTURE(row.name);
    const auto value = show(row, other);
    REQUIRE(value != show(row, settings{}));
    std::string text = "[route.a]\n";
    if (!row.by_route.exclusive)
      text += "mode = 'pool'\n";
    const auto entry = std::string{row.key()} + " = " + value;
    text += row.section().empty() ? entry : std::string{row.section()}.append(" { " + entry + " }");
    auto [values, problems] = read_text(text);
    CHECK(problems.empty());
    REQUIRE(values.named_routes.size() == 1);
    CHECK(show(row, settings_for(values, values.named_routes[0])) == value);
    values.named_routes.clear();
    CHECK(values == settings{});
  }
}

TEST_CASE("what is wrong with a route is named, with file, line and key") {
  struct row {
    std::string text;
    strings expected;
  };
  auto [text, expected] = GENERATE(values<row>({
      // Keys and sections.
      {route_with("pair-timeot = 1s"),
       {"4: route.a.pair-timeot: unknown option; did you mean pair-timeout?"}},
      {route_with("listen = []"),
       {"4: route.a.listen: unknown option; it is the whole broker's, and belongs among the global "
        "options, above the first [SECTION] or below [global]"}},
      {route_with("timeout = 1s"),
       {"4: route.a.timeout: unknown option; it is the whole broker's, and belongs in the section "
        "[heartbeat]"}},
      {route_with("xyzzy = 1"), {"4: route.a.xyzzy: unknown option"}},
      {route_with("compression = \"on\""),
       {"4: route.a.compression: unknown option; it is a section: write [route.a.compression], and "
        "its options below"}},
      {route_with("[route.a.compression]\nlevel = 1"),
       {"5: route.a.compression.level: unknown option; it is the whole broker's, and belongs in "
        "the section [compression]"}},
      {route_with("[route.a.compression]\nstall-timeout = 1s"),
       {"5: route.a.compression.stall-timeout: unknown option; it belongs in the section "
        "[route.a]"}},
      {route_with("[route.a.comprssion]\nmode = 'on'"),
       {"4: [route.a.comprssion]: unknown section; did you mean [route.a.compression]?"}},
      {route_with("[route.a.heartbeat]\ntimeout = 1s"),
       {"4: [route.a.heartbeat]: unknown section"}},
      {route_with("[route.a.mode]"),
       {R"(4: [route.a.mode]: is an option, not a section; takes "exclusive", "pool" or "shared")"}},
      {"[routes.a]\nmode = 'pool'", {"1: [routes]: unknown section; did you mean [route.NAME]?"}},
      {"[route]\nmode = 'pool'",
       {"2: route.mode: unknown option; a route has a name: write [route.NAME], and its options "
        "below"}},
      {"route = 5",
       {"1: route: unknown option; it is a section: write [route.NAME], and its options below"}},
      {route_with("mode = 'pool'\nmode = 'pool'"),
       {"5: route.a.mode: is set for the second time, after line 4"}},
      {route_with("[route.a]\nclient-path = \"/x/{key}\""),
       {"5: route.a.client-path: is set for the second time, after line 2"}},
      // Values.
      {route_with("mode = 'pond'"),
       {R"(4: route.a.mode: 'pond' is unknown; takes "exclusive", "pool" or "shared")"}},
      {route_with("stall-timeout = 2h"),
       {"4: route.a.stall-timeout: 2h is out of range; takes a duration from 100ms to 1h, such as "
        "30s"}},
      {route_with("stall-timeout = 1s 2s"),
       {"4:20: route.a.stall-timeout: unexpected '2s' after the value; takes a duration from 100ms "
        "to 1h, such as 30s"}},
      {"sticky-by = \"user\"",
       {R"(1: sticky-by: "user" doesn't say where to look; takes "", "query:NAME", "header:NAME" or "cookie:NAME", such as "query:user")"}},
      {"priority-by = \"header:user\"",
       {R"(1: priority-by: "header:user" doesn't say where to look; takes "" or "query:NAME", such as "query:user")"}},
      {"sticky-by = \"header:\"",
       {R"(1: sticky-by: "header:" has no name after its colon; takes "", "query:NAME", "header:NAME" or "cookie:NAME", such as "query:user")"}},
      {"sticky-by = \"query:a=b\"",
       {R"(1: sticky-by: "query:a=b" has a character that its name can't hold; takes "", "query:NAME", "header:NAME" or "cookie:NAME", such as "query:user")"}},
      {"subprotocols = [\"tandem.v1\"]",
       {R"(1: subprotocols: "tandem.v1" is a name of tandem's own, which it accepts by itself)"}},
  }));
  CAPTURE(text);
  CHECK(read_text(text).problems == expected);
}

TEST_CASE("a path that fits two patterns is refused with the names of both") {
  struct row {
    std::string text;
    strings expected;
  };
  const auto a = "[route.a]\n" + std::string{paths_a};
  auto [text, expected] = GENERATE_REF(values<row>({
      {a + "[route.b]\n" + std::string{paths_b}, {}},
      {a + "[route.b]\nclient-path = \"/a/{key}\"\nworker-path = \"/b/{key}\"\n",
       {R"(5: route.b.client-path: /a/{key} would fit both "/a/{key}" and route.a.client-path, which is "/a/{key}" (line 2))"}},
      {a + "[route.b]\nclient-path = \"/b/{key}\"\nworker-path = \"/{key}/x/w\"\n",
       {R"(6: route.b.worker-path: /a/x/w would fit both "/{key}/x/w" and route.a.worker-path, which is "/a/{key}/w" (line 3))"}},
      {a + "[route.b]\nclient-path = \"/{key}/b\"\nworker-path = \"/b/{key}/w\"\n",
       {R"(5: route.b.client-path: /a/b would fit both "/{key}/b" and route.a.client-path, which is "/a/{key}" (line 2))"}},
      {"[route.a]\nclient-path = \"/a/{key}\"\nworker-path = \"/{key}/b\"\n",
       {R"(3: route.a.worker-path: /a/b would fit both "/{key}/b" and route.a.client-path, which is "/a/{key}" (line 2))"}},
      {"[route.a]\nclient-path = \"/worker/{key}\"\n",
       {R"(2: route.a.client-path: /worker/{key} would fit both "/worker/{key}" and route.a.worker-path, which is "/worker/{key}" (line 1))"}},
      // Both have the global paths.
      {"[route.a]\n\n[route.b]\n",
       {R"(3: route.b.client-path: /client/{key} would fit both "/client/{key}" and route.a.client-path, which is "/client/{key}" (line 1))",
        R"(3: route.b.worker-path: /worker/{key} would fit both "/worker/{key}" and route.a.worker-path, which is "/worker/{key}" (line 1))"}},
      // One that isn't accepted is at fault by itself.
      {a + "[route.b]\nclient-path = \"/a\"\nworker-path = \"/b/{key}\"\n",
       {R"(5: route.b.client-path: "/a" has no "{key}"; takes a path that starts with "/" and has one segment "{key}", such as "/client/{key}")"}},
      // The global paths are nobody's.
      {"client-path = \"/x/{key}\"\nworker-path = \"/x/{key}\"\n" + a, {}},
  }));
  CAPTURE(text);
  CHECK(read_text(text).problems == expected);
}

TEST_CASE("what has no meaning for a route is refused") {
  struct row {
    std::string text;
    strings expected;
  };
  auto [text, expected] = GENERATE(values<row>({
      {route_with("select = 'random'"),
       {R"(4: route.a.select: has no meaning with mode = "exclusive"; it is for mode = "pool")"}},
      {route_with("mode = 'shared'\nraw-reuse = 'keep'\nmax-capacity = 5"),
       {R"(6: route.a.max-capacity: has no meaning with mode = "shared"; it is for mode = "pool")",
        R"(5: route.a.raw-reuse: has no meaning with mode = "shared"; it is for mode = "pool")"}},
      {route_with("max-waiting = 5"),
       {R"(4: route.a.max-waiting: has no meaning with mode = "exclusive"; it is for mode = "pool" or "shared")"}},
      {route_with("mode = 'shared'\nmax-waiting = 5\nwait-timeout = 1s\npriority-by = "
                  "\"query:p\"\non-conflict = 'replace'"),
       {}},
      {route_with("mode = 'pool'\non-conflict = 'replace'"),
       {R"(5: route.a.on-conflict: has no meaning with mode = "pool"; it is for mode = "exclusive" or "shared")"}},
      // Global values are for those routes that can have them.
      {"select = 'random'\nmax-waiting = 5\non-conflict = 'replace'\n" + route_with(""), {}},
      {"select = 'random'\nmax-waiting = 5", {}},
      // A mode that isn't known says nothing.
      {route_with("mode = 'pond'\nselect = 'random'"),
       {R"(4: route.a.mode: 'pond' is unknown; takes "exclusive", "pool" or "shared")"}},
      {route_with("mode = 'pool'\nselect = 'sticky'"),
       {R"(5: route.a.select: "sticky" goes by sticky-by, which isn't set; takes "", "query:NAME", "header:NAME" or "cookie:NAME", such as "query:user")"}},
      {route_with("mode = 'pool'\nselect = 'sticky'\nsticky-by = \"cookie:a\""), {}},
      {"select = 'sticky'\n" + route_with("mode = 'pool'\nsticky-by = \"cookie:a\""), {}},
      {"select = 'sticky'\n" + route_with("mode = 'pool'"),
       {R"(2: route.a.select: "sticky" goes by sticky-by, which isn't set; takes "", "query:NAME", "header:NAME" or "cookie:NAME", such as "query:user")"}},
      {"mode = 'pool'\nselect = 'sticky'",
       {R"(2: select: "sticky" goes by sticky-by, which isn't set; takes "", "query:NAME", "header:NAME" or "cookie:NAME", such as "query:user")"}},
      {route_with("on-peer-loss = 'rematch'"),
       {R"(4: route.a.on-peer-loss: "rematch" has no meaning with mode = "exclusive"; it is for mode = "pool" or "shared")"}},
      {"on-peer-loss = 'rematch'",
       {R"(1: on-peer-loss: "rematch" has no meaning with mode = "exclusive"; it is for mode = "pool" or "shared")"}},
      {route_with("mode = 'shared'\non-peer-loss = 'rematch'"), {}},
      {"on-peer-loss = 'rematch'\n" + route_with("mode = 'pool'"), {}},
  }));
  CAPTURE(text);
  CHECK(read_text(text).problems == expected);
}

TEST_CASE("there may be a thousand routes, and no more") {
  auto routes = [](int count) {
    std::string text;
    for (int i = 0; i < count; ++i) {
      auto name = std::to_string(i);
      text += "[route." + name + "]\nclient-path = \"/c" + name + "/{key}\"\nworker-path = \"/w" +
              name + "/{key}\"\n";
    }
    return read_text(text);
  };
  auto [values, problems] = routes(1000);
  CHECK(problems.empty());
  REQUIRE(values.named_routes.size() == 1000);
  CHECK(values.named_routes[999].own.client_path == "/c999/{key}");
  CHECK(routes(1002).problems == strings{"3001: [route.1000]: there are more than 1000 routes"});
}

TEST_CASE("of paths that overlap only the first ones are told") {
  std::string text;
  for (int i = 0; i < 100; ++i)
    text += "[route.r" + std::to_string(i) + "]\n";
  CHECK(read_text(text).problems.size() == 20);
}
