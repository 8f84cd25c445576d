#include "config/pages.hpp"

#include "config/options.hpp"
#include "reading.hpp"

#include <catch2/catch.hpp>

#include <fstream>
#include <iterator>

using namespace tandem::config;
using namespace std::chrono_literals;

namespace {

std::string file_of_tree(const std::string& path) {
  std::ifstream in{TANDEM_SOURCE_DIR "/" + path, std::ios::binary};
  REQUIRE(in);
  return {std::istreambuf_iterator<char>{in}, {}};
}

/// The first block of code of that language, behind the text `from`.
std::string code_block(const std::string& page, const std::string& language,
                       const std::string& from = "") {
  auto open = "```" + language + "\n";
  auto begin = page.find(open, page.find(from));
  REQUIRE(begin != std::string::npos);
  begin += open.size();
  return page.substr(begin, page.find("```", begin) - begin);
}

route exclusive_route(const route_settings& start) {
  route x{"a-1", start, toggle::off};
  x.own.client_path = "/a/{key}";
  x.own.worker_path = "/a/{key}/w";
  x.own.mode = pairing_mode::exclusive;
  x.own.on_conflict = conflict_policy::reject;
  return x;
}

route pool_route(const route_settings& start) {
  route x{"B_2", start, {}};
  x.own.client_path = "/b/{key}";
  x.own.worker_path = "/b/{key}/w";
  x.own.on_peer_loss = loss_policy::rematch;
  x.own.select = selection::round_robin;
  x.own.sticky_by = {};
  x.own.priority_by = {};
  x.own.max_waiting = 0;
  x.own.stall_timeout = 1s;
  return x;
}

settings all_changed() {
  settings x;
  x.listen = {{"127.0.0.1", 0}, {"::1", 65535}};
  x.client_path = "/c/{key}";
  x.worker_path = "/{key}/w/x";
  x.subprotocols = {"chat", "v1.mqtt"};
  x.open_headers = {"Origin"};
  x.mode = pairing_mode::pool;
  x.select = selection::sticky;
  x.sticky_by = {request_part::cookie, "who"};
  x.priority_by = {request_part::query, "level"};
  x.max_waiting = 5;
  x.wait_timeout = 0s;
  x.max_capacity = 64;
  x.raw_reuse = reuse_policy::keep;
  x.trusted_proxies = {{"10.0.0.0", 8}, {"192.0.2.1", 32}, {"::1", 128}, {"unix", 0}};
  x.on_conflict = conflict_policy::replace;
  x.on_peer_loss = loss_policy::wait;
  x.pair_timeout = 0s;
  x.pending_bytes = 0;
  x.relay_window = 16385;
  x.max_message_size = uint64_t{1} << 53;
  x.max_connections = 1;
  x.max_connections_per_ip = 2;
  x.max_handshakes = 0;
  x.accept_rate = 4;
  x.accept_rate_per_ip = 5;
  x.message_rate = 6;
  x.byte_rate = 7 << 20;
  x.rate_burst = 250ms;
  x.max_buffered_bytes = uint64_t{1} << 40;
  x.handshake_timeout = 1234ms;
  x.close_timeout = 100ms;
  x.stall_timeout = 1h;
  x.drain_timeout = 0s;
  x.heartbeat_client_interval = 0s;
  x.heartbeat_worker_interval = 61s;
  x.heartbeat_timeout = 50ms;
  x.tls_certificates = {"/a b/chain.pem", "other.pem"};
  x.tls_private_keys = {"/key.pem", "other.key"};
  x.tls_client_ca = "/ca.pem";
  x.tls_client_certificates = certificate_demand::required;
  x.tls_min_version = tls_version::tls13;
  x.compression = toggle::on;
  x.compression_max_window_bits = 9;
  x.compression_context_takeover = toggle::off;
  x.compression_level = 9;
  x.compression_memory_level = 1;
  x.compression_threshold = 0;
  x.network_threads = 256;
  x.compute_threads = 1;
  x.placement = placement::spread;
  x.extensions = {"a", "b \"c\"\n\\"};
  x.log_level = log_level::off;
  x.named_routes = {exclusive_route(x), pool_route(x)};
  return x;
}

} // namespace

TEST_CASE("a dump reads back as the same settings") {
  for (const auto& x : {settings{}, all_changed()}) {
    auto [values, problems] = read_text(dump(x));
    CHECK(problems.empty());
    CHECK(values == x);
  }
}

TEST_CASE("a dump is as a person would write it") {
  CHECK(dump(all_changed()) == R"(listen = ["127.0.0.1:0", "[::1]:65535"]
client-path = "/c/{key}"
worker-path = "/{key}/w/x"
subprotocols = ["chat", "v1.mqtt"]
open-headers = ["Origin"]
trusted-proxies = ["10.0.0.0/8", "192.0.2.1", "::1", "unix"]
mode = "pool"
on-conflict = "replace"
on-peer-loss = "wait"
pair-timeout = 0s
pending-bytes = "0 B"
select = "sticky"
sticky-by = "cookie:who"
priority-by = "query:level"
max-waiting = 5
wait-timeout = 0s
max-capacity = 64
raw-reuse = "keep"
relay-window = "16385 B"
max-message-size = "8 PiB"
max-connections = 1
max-connections-per-ip = 2
max-handshakes = 0
accept-rate = 4
accept-rate-per-ip = 5
message-rate = 6
byte-rate = "7 MiB"
rate-burst = 250ms
max-buffered-bytes = "1 TiB"
handshake-timeout = 1234ms
close-timeout = 100ms
stall-timeout = 1h
drain-timeout = 0s
extensions = ["a", "b \"c\"\n\\"]
log-level = "off"

[heartbeat]
client-interval = 0s
worker-interval = 61s
timeout = 50ms

[tls]
certificates = ["/a b/chain.pem", "other.pem"]
private-keys = ["/key.pem", "other.key"]
client-ca = "/ca.pem"
client-certificates = "required"
min-version = "1.3"

[compression]
mode = "on"
max-window-bits = 9
context-takeover = "off"
level = 9
memory-level = 1
threshold = "0 B"

[scheduler]
max-threads = 256
compute-threads = 1
placement = "spread"

[route.a-1]
client-path = "/a/{key}"
worker-path = "/a/{key}/w"
subprotocols = ["chat", "v1.mqtt"]
open-headers = ["Origin"]
mode = "exclusive"
on-conflict = "reject"
on-peer-loss = "wait"
pair-timeout = 0s
pending-bytes = "0 B"
relay-window = "16385 B"
max-message-size = "8 PiB"
message-rate = 6
byte-rate = "7 MiB"
stall-timeout = 1h
compression { mode = "off" }

[route.B_2]
client-path = "/b/{key}"
worker-path = "/b/{key}/w"
subprotocols = ["chat", "v1.mqtt"]
open-headers = ["Origin"]
mode = "pool"
on-peer-loss = "rematch"
pair-timeout = 0s
pending-bytes = "0 B"
select = "round-robin"
sticky-by = ""
priority-by = ""
max-waiting = 0
wait-timeout = 0s
max-capacity = 64
raw-reuse = "keep"
relay-window = "16385 B"
max-message-size = "8 PiB"
message-rate = 6
byte-rate = "7 MiB"
stall-timeout = 1s
)");
}

TEST_CASE("the default file sets every option to its default") {
  auto [values, problems] = read_text(default_file());
  CHECK(problems.empty());
  CHECK(values == settings{});
  for (const auto& row : options()) {
    CAPTURE(row.name);
    CHECK(default_file().find("\n" + std::string{row.key()} + " = ") != std::string::npos);
  }
}

TEST_CASE("the help text and the reference page have every option") {
  for (const auto& row : options()) {
    CAPTURE(row.name);
    CHECK(help_text().find("  --" + std::string{row.name} + "=") != std::string::npos);
    CHECK(reference_page().find("| `" + std::string{row.name} + "` | ") != std::string::npos);
  }
}

TEST_CASE("the example of the reference page is right") {
  auto [values, problems] = read_text(code_block(reference_page(), "ini"));
  CHECK(problems.empty());
  CHECK(values.on_conflict == conflict_policy::replace);
  CHECK(values.heartbeat_timeout == 5s);
}

TEST_CASE("the routes of the reference page are right") {
  auto [values, problems] = read_text(code_block(reference_page(), "ini", "\n## Routes\n"));
  CHECK(problems.empty());
  REQUIRE(values.named_routes.size() == 2);
  CHECK(values.named_routes[0].own.stall_timeout == 5s);
  CHECK(values.named_routes[1].own.stall_timeout == 10s);
  CHECK(values.named_routes[1].own.mode == pairing_mode::pool);
  CHECK(values.named_routes[1].compression == toggle::off);
}

TEST_CASE("the routes that the default file shows as an example are right") {
  auto text = default_file();
  auto example = text.substr(text.find("; [route."));
  std::erase(example, ';');
  auto [values, problems] = read_text(example);
  CHECK(problems.empty());
  REQUIRE(values.named_routes.size() == 1);
  CHECK(values.named_routes[0].own.on_peer_loss == loss_policy::rematch);
}

TEST_CASE("the problems that the reference page shows are real ones") {
  std::vector<problem> problems;
  settings values;
  read("\n\npair-timeot = 1s\n\n\n[heartbeat]\ntimeout = 2h", "tandem.conf", values, problems);
  std::string shown;
  for (const auto& x : problems)
    shown.append(to_string(x)).append("\n");
  CHECK(shown == code_block(reference_page(), ""));
}

TEST_CASE("the files in the tree are what the table generates") {
  // If not, run tandem-config-docs.
  CHECK(file_of_tree("config/tandem.conf") == default_file());
  CHECK(file_of_tree("docs/configuration.md") == reference_page());
}
