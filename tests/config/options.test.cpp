#include "config/options.hpp"

#include "config/pages.hpp"
#include "config/text.hpp"
#include "reading.hpp"

#include <catch2/catch.hpp>

#include <set>

using namespace tandem::config;
using namespace std::chrono_literals;

namespace {

/// A config file that sets nothing but this option, to the text `x` of a value.
std::string file_with(const option& row, std::string_view x) {
  auto section = row.section().empty() ? "" : "[" + std::string{row.section()} + "]\n";
  return section + std::string{row.key()}.append(" = ").append(x).append("\n");
}

bool accepts(std::string_view name, std::string_view x) {
  const auto* row = find_option(name);
  REQUIRE(row);
  return read_text(file_with(*row, x)).problems.empty();
}

} // namespace

TEST_CASE("the table's rows are complete and in the order of a config file") {
  std::set<std::string_view> names;
  std::set<std::string_view> closed;
  std::string_view section;
  for (const auto& row : options()) {
    CAPTURE(row.name);
    CHECK(names.insert(row.name).second);
    CHECK(find_option(row.name) == &row);
    CHECK_FALSE(row.topic.empty());
    CHECK(row.help.ends_with('.'));
    if (row.section() != section) {
      closed.insert(section);
      section = row.section();
    }
    CHECK_FALSE(closed.contains(section));
  }
  CHECK(find_option("timeout") == nullptr);
  CHECK(find_option("") == nullptr);
  CHECK(sections() ==
        std::vector<std::string_view>{"heartbeat", "tls", "compression", "scheduler"});
}

TEST_CASE("the defaults are the documented ones") {
  const settings x;
  CHECK(x.listen == std::vector<endpoint>{{"0.0.0.0", 8080}, {"::", 8080}});
  CHECK(x.client_path == "/client/{key}");
  CHECK(x.worker_path == "/worker/{key}");
  CHECK(x.subprotocols.empty());
  CHECK(x.open_headers.empty());
  CHECK(x.mode == pairing_mode::exclusive);
  CHECK(x.trusted_proxies.empty());
  CHECK(x.on_conflict == conflict_policy::reject);
  CHECK(x.on_peer_loss == loss_policy::close);
  CHECK(x.pair_timeout == 5min);
  CHECK(x.pending_bytes == 65536);
  CHECK(x.select == selection::least_loaded);
  CHECK(x.sticky_by == request_value{});
  CHECK(x.priority_by == request_value{});
  CHECK(x.max_waiting == 1000);
  CHECK(x.wait_timeout == 30s);
  CHECK(x.max_capacity == 1024);
  CHECK(x.raw_reuse == reuse_policy::close);
  CHECK(x.relay_window == 262144);
  CHECK(x.max_message_size == 67108864);
  CHECK(x.max_connections == 0);
  CHECK(x.max_connections_per_ip == 0);
  CHECK(x.max_handshakes == 10000);
  CHECK(x.accept_rate == 0);
  CHECK(x.accept_rate_per_ip == 0);
  CHECK(x.message_rate == 0);
  CHECK(x.byte_rate == 0);
  CHECK(x.rate_burst == 1s);
  CHECK(x.max_buffered_bytes == 0);
  CHECK(x.handshake_timeout == 10s);
  CHECK(x.close_timeout == 5s);
  CHECK(x.stall_timeout == 30s);
  CHECK(x.drain_timeout == 10s);
  CHECK(x.heartbeat_client_interval == 30s);
  CHECK(x.heartbeat_worker_interval == 30s);
  CHECK(x.heartbeat_timeout == 20s);
  CHECK(x.compression == toggle::off);
  CHECK(x.compression_max_window_bits == 12);
  CHECK(x.compression_context_takeover == toggle::on);
  CHECK(x.compression_level == 3);
  CHECK(x.compression_memory_level == 5);
  CHECK(x.compression_threshold == 256);
  CHECK(x.network_threads == 0);
  CHECK(x.compute_threads == 2);
  CHECK(x.placement == placement::load);
  CHECK(x.extensions.empty());
  CHECK(x.log_level == log_level::info);
  CHECK(x.named_routes.empty());
  CHECK(x.routes() == std::vector{route{"default", x, {}}});
}

TEST_CASE("every option accepts its own default") {
  for (const auto& row : options()) {
    auto text = file_with(row, show(row, settings{}));
    CAPTURE(text);
    auto [values, problems] = read_text(text);
    CHECK(problems.empty());
    CHECK(values == settings{});
  }
}

TEST_CASE("ranges include their ends and no more") {
  struct row {
    std::string_view name;
    std::vector<std::string_view> good;
    std::vector<std::string_view> bad;
  };
  auto [name, good, bad] = GENERATE(values<row>({
      {"pair-timeout",
       {"0", "0s", "1ms", "24h"},
       {"+", "-", "+s", "86400001ms", "-1s", "-1ms", "1us"}},
      {"pending-bytes",
       {"0", "0x0", "0b0", "1", "\"1 GiB\""},
       {"0x", "0b", "-0x", "00", "-1", "1073741825", "\"2 GiB\""}},
      {"relay-window", {"16384", "\"1 GiB\""}, {"0", "16383", "1073741825"}},
      {"max-message-size", {"1", "9007199254740992"}, {"0", "9007199254740993", "-1"}},
      {"handshake-timeout", {"100ms", "10min"}, {"0", "99ms", "600001ms"}},
      {"close-timeout", {"100ms", "5min"}, {"0s", "99ms", "300001ms"}},
      {"stall-timeout", {"100ms", "1h"}, {"0s", "99ms", "61min", "9223372036854775807h"}},
      {"drain-timeout", {"0s", "1ms", "1h"}, {"61min", "-1s", "-9223372036854775807h"}},
      {"heartbeat.client-interval", {"0s", "50ms", "1h"}, {"49ms", "61min", "1500us"}},
      {"heartbeat.worker-interval", {"0", "50ms", "1h"}, {"49ms", "61min"}},
      {"heartbeat.timeout", {"50ms", "1h", "1000000us"}, {"0s", "49ms", "61min"}},
      {"scheduler.max-threads", {"0", "1", "256", "0x10"}, {"-1", "257"}},
      {"scheduler.compute-threads", {"1", "64"}, {"0", "65"}},
      {"listen", {R"(["1.2.3.4:0"])", R"(["[::1]:65535"])"}, {"[]", R"(["[::1]:65536"])"}},
      {"extensions", {"[]", R"(["a", "b"])"}, {R"(["a", "a"])", R"([""])"}},
      {"subprotocols",
       {"[]", R"(["v1.chat", "a!#$%&'*+-.^_`|~"])"},
       {R"(["a b"])", R"(["a,b"])", R"(["a/b"])", R"([""])", R"(["a", "a"])", R"(["\n"])",
        R"(["tandem.v1"])"}},
      {"trusted-proxies",
       {"[]", R"(["127.0.0.1", "10.0.0.0/8", "::1", "2001:db8::/32", "0.0.0.0/0", "unix"])"},
       {R"(["localhost"])", R"([""])", R"(["10.0.0.0/33"])", R"(["10.0.0.0/"])", R"(["::/129"])",
        R"(["10.0.0.0/-1"])", R"(["10.0.0/8"])", R"(["[::1]"])", R"(["127.0.0.1:80"])",
        R"(["unix/8"])", R"(["/8"])"}},
      {"open-headers", {"[]", R"(["Origin", "X-User"])"}, {R"(["a b"])", R"(["a", "a"])"}},
      {"sticky-by",
       {R"("")", R"("query:user-id_.~")", R"("header:X-User")", R"("cookie:a!#$%&'*+^`|~")"},
       {R"("user")", R"("query")", R"("query:")", R"("query:a b")", R"("query:a&b")", R"("body:a")",
        R"("Query:a")", R"("header:a:b")", R"("cookie:a=b")", R"(":a")", "5"}},
      {"priority-by", {R"("")", R"("query:priority")"}, {R"("header:a")", R"("cookie:a")"}},
      {"max-waiting", {"0", "1", "10000000"}, {"-1", "10000001"}},
      {"wait-timeout", {"0", "0s", "1ms", "24h"}, {"86400001ms", "-1s"}},
      {"max-capacity", {"1", "1000000"}, {"0", "1000001"}},
      {"max-connections", {"0", "1", "10000000"}, {"-1", "10000001"}},
      {"max-connections-per-ip", {"0", "1"}, {"-1", "10000001"}},
      {"max-handshakes", {"0", "1"}, {"-1", "10000001"}},
      {"accept-rate", {"0", "1", "1000000000"}, {"-1", "1000000001"}},
      {"accept-rate-per-ip", {"0", "1"}, {"-1"}},
      {"message-rate", {"0", "1"}, {"-1", "1000000001"}},
      {"byte-rate", {"0", "1", "\"1 TiB\""}, {"-1", "\"2 TiB\""}},
      {"rate-burst", {"1ms", "10min"}, {"0", "601s"}},
      {"max-buffered-bytes", {"0", "\"1 MiB\"", "\"1 TiB\""}, {"1", "1048575"}},
      {"client-path", {R"("/{key}")"}, {R"("{key}")", R"("/a")"}},
  }));
  for (auto x : good) {
    CAPTURE(name, x);
    CHECK(accepts(name, x));
  }
  for (auto x : bad) {
    CAPTURE(name, x);
    CHECK_FALSE(accepts(name, x));
  }
}

TEST_CASE("each word of a choice is accepted as a string and as an atom, and means itself") {
  struct row {
    std::string_view line;
    bool (*holds)(const settings&);
  };
  auto [line, holds] = GENERATE(values<row>({
      {R"(on-conflict = "reject")",
       [](auto& x) { return x.on_conflict == conflict_policy::reject; }},
      {R"(on-conflict = "replace")",
       [](auto& x) { return x.on_conflict == conflict_policy::replace; }},
      {R"(on-conflict = 'replace')",
       [](auto& x) { return x.on_conflict == conflict_policy::replace; }},
      {R"(on-peer-loss = "close")", [](auto& x) { return x.on_peer_loss == loss_policy::close; }},
      {R"(on-peer-loss = 'wait')", [](auto& x) { return x.on_peer_loss == loss_policy::wait; }},
      {R"(mode = "exclusive")", [](auto& x) { return x.mode == pairing_mode::exclusive; }},
      {"mode = 'pool'", [](auto& x) { return x.mode == pairing_mode::pool; }},
      {R"(mode = "shared")", [](auto& x) { return x.mode == pairing_mode::shared; }},
      {"mode = 'pool'\non-peer-loss = 'rematch'",
       [](auto& x) { return x.on_peer_loss == loss_policy::rematch; }},
      {R"(select = "least-loaded")", [](auto& x) { return x.select == selection::least_loaded; }},
      {R"(select = "round-robin")", [](auto& x) { return x.select == selection::round_robin; }},
      {"select = 'random'", [](auto& x) { return x.select == selection::random; }},
      {"select = 'sticky'", [](auto& x) { return x.select == selection::sticky; }},
      {"raw-reuse = 'close'", [](auto& x) { return x.raw_reuse == reuse_policy::close; }},
      {"raw-reuse = 'keep'", [](auto& x) { return x.raw_reuse == reuse_policy::keep; }},
      {R"(log-level = "trace")", [](auto& x) { return x.log_level == log_level::trace; }},
      {R"(log-level = "debug")", [](auto& x) { return x.log_level == log_level::debug; }},
      {R"(log-level = "info")", [](auto& x) { return x.log_level == log_level::info; }},
      {R"(log-level = 'warning')", [](auto& x) { return x.log_level == log_level::warning; }},
      {R"(log-level = "error")", [](auto& x) { return x.log_level == log_level::error; }},
      {R"(log-level = "off")", [](auto& x) { return x.log_level == log_level::off; }},
      {"[compression]\nmode = 'on'", [](auto& x) { return x.compression == toggle::on; }},
      {"[compression]\nmode = \"off\"", [](auto& x) { return x.compression == toggle::off; }},
      {"[compression]\ncontext-takeover = 'off'",
       [](auto& x) { return x.compression_context_takeover == toggle::off; }},
      {"[scheduler]\nplacement = 'load'", [](auto& x) { return x.placement == placement::load; }},
      {"[scheduler]\nplacement = 'key'", [](auto& x) { return x.placement == placement::key; }},
      {"[scheduler]\nplacement = 'spread'",
       [](auto& x) { return x.placement == placement::spread; }},
  }));
  CAPTURE(line);
  auto [values, problems] = read_text(line);
  CHECK(problems.empty());
  CHECK(holds(values));
}

TEST_CASE("an option takes no value of another type") {
  constexpr std::string_view types[] = {"true", "1.5", "<a:b>", "{ a = 1 }", "[1, 2]", "'atom'"};
  for (const auto& row : options())
    for (auto x : types) {
      auto text = file_with(row, x);
      CAPTURE(text);
      auto [values, problems] = read_text(text);
      CHECK_FALSE(problems.empty());
      CHECK(values == settings{});
    }
}
