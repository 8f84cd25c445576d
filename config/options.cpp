#include "config/options.hpp"

#include <algorithm>
#include <type_traits>

namespace tandem::config {

namespace {

using namespace std::chrono_literals;

constexpr uint64_t KiB = uint64_t{1} << 10;
constexpr uint64_t MiB = uint64_t{1} << 20;
constexpr uint64_t GiB = uint64_t{1} << 30;
constexpr uint64_t TiB = uint64_t{1} << 40;
constexpr size_t most_connections = 10'000'000;
/// Per second.
constexpr size_t highest_rate = 1'000'000'000;
constexpr mode_set pools{.pool = true};
/// Where clients share workers.
constexpr mode_set crowds{.pool = true, .shared = true};
/// Where a key has one worker.
constexpr mode_set keyed_modes{.exclusive = true, .shared = true};
/// Beyond this, JSON and JavaScript can't tell one size from the next.
constexpr uint64_t largest_message = uint64_t{1} << 53;

std::vector<option> make_table() {
  return {
      {"listen", "Addresses",
       endpoints_option{&settings::listen, {{"0.0.0.0", 8080}, {"::", 8080}}},
       "Where clients and workers connect to: addresses and ports, with TLS behind \"wss://\", or "
       "Unix-domain sockets for a reverse proxy on the same machine. Port 0 takes any free port."},
      {"client-path", "Addresses", path_option{&settings::client_path, "/client/{key}"},
       "Path that clients connect to. What stands in place of {key} says which worker is theirs.",
       every_mode},
      {"worker-path", "Addresses", path_option{&settings::worker_path, "/worker/{key}"},
       "Path that workers connect to. No path may match both this one and client-path, nor those "
       "of "
       "two routes.",
       every_mode},
      {"subprotocols", "Addresses",
       names_option{
           &settings::subprotocols, {}, "subprotocols", R"(["chat", "mqtt"])", true, "tandem."},
       "Subprotocols of the application's. The first one in a peer's offer that is listed here is "
       "agreed on. If the list is empty, none is, whatever is offered.",
       every_mode},
      {"open-headers", "Addresses",
       names_option{&settings::open_headers, {}, "headers", R"(["Origin", "X-User"])", true},
       "Headers of a client's request that its worker is told of, if that is framed.", every_mode},
      {"trusted-proxies", "Addresses", networks_option{&settings::trusted_proxies, {}},
       "Proxies that are believed when they say whose connection they pass on, by the PROXY "
       "protocol (a listener with ?proxy-protocol) or by X-Forwarded-For: IP addresses, networks, "
       "or \"unix\" for those that come by a Unix-domain socket."},

      {"mode", "Pairing",
       choice_option<pairing_mode>{
           &settings::mode, pairing_mode::exclusive, {"exclusive", "pool", "shared"}},
       "Who may share a key: one client and one worker; or many workers with as many clients each "
       "as they have slots; or one worker, which has to be a framed one, with many clients.",
       every_mode},
      {"on-conflict", "Pairing",
       choice_option<conflict_policy>{
           &settings::on_conflict, conflict_policy::reject, {"reject", "replace"}},
       "What happens when a key is claimed that another connection of the same role holds: the "
       "newcomer is refused, or it replaces the older one, which is closed with 4000.",
       keyed_modes},
      {"on-peer-loss", "Pairing",
       choice_option<loss_policy>{
           &settings::on_peer_loss, loss_policy::close, {"close", "wait", "rematch"}},
       "What happens to the other side when one side of a pair goes: it is closed too, with the "
       "same code and reason, or it waits up to pair-timeout for a new peer. With \"rematch\" a "
       "client that loses its worker gets another one of its pool, ahead of all who wait.",
       every_mode},
      {"pair-timeout", "Pairing",
       duration_option{&settings::pair_timeout, 5min, {1ms, 24h, "no limit"}},
       "How long a connection waits for its peer before it is closed with 4100.", every_mode},
      {"pending-bytes", "Pairing",
       size_option{&settings::pending_bytes, 64 * KiB, {1, GiB, "none"}},
       "How much a connection that waits for its peer may send ahead. It is at most relay-window.",
       every_mode},

      {"select", "Pools",
       choice_option<selection>{&settings::select,
                                selection::least_loaded,
                                {"least-loaded", "round-robin", "random", "sticky"}},
       "Which worker of a pool a client gets: the one with the largest part of its slots free, the "
       "next one in turn, any, or the same one for the same value of sticky-by as long as it is "
       "there and has a free slot.",
       pools},
      {"sticky-by", "Pools",
       request_value_option{&settings::sticky_by,
                            {},
                            {request_part::query, request_part::header, request_part::cookie}},
       "What select = \"sticky\" goes by: a parameter of the query, a header or a cookie.", pools},
      {"priority-by", "Pools",
       request_value_option{&settings::priority_by, {}, {request_part::query}},
       "The parameter of the query in which a client may give its priority, from -1000 to 1000. Of "
       "those who wait, the highest comes first.",
       crowds},
      {"max-waiting", "Pools",
       count_option{&settings::max_waiting, 1000, {1, most_connections, "none"}},
       "How many clients of one key may wait until a worker has a free slot. Whoever comes beyond "
       "it is refused with 503.",
       crowds},
      {"wait-timeout", "Pools",
       duration_option{&settings::wait_timeout, 30s, {1ms, 24h, "no limit"}},
       "How long a client may wait for a worker before it is closed with 1013.", crowds},
      {"max-capacity", "Pools", count_option{&settings::max_capacity, 1024, {1, 1'000'000}},
       "The most slots that a framed worker may have.", pools},
      {"raw-reuse", "Pools",
       choice_option<reuse_policy>{&settings::raw_reuse, reuse_policy::close, {"close", "keep"}},
       "What happens to a raw worker of a pool when its client has gone: it is closed with the "
       "client's code, or kept for the next client.",
       pools},

      {"relay-window", "Limits", size_option{&settings::relay_window, 256 * KiB, {16 * KiB, GiB}},
       "How much may be under way in each direction of a pair before the sender is slowed down. "
       "A pair holds at most twice this in memory.",
       every_mode},
      {"max-message-size", "Limits",
       size_option{&settings::max_message_size, 64 * MiB, {1, largest_message}},
       "The largest message that either side may send; a larger one closes its sender with 1009. "
       "A large message is passed on piece by piece, so this doesn't set what memory is used.",
       every_mode},
      {"max-connections", "Limits",
       count_option{&settings::max_connections, 0, {1, most_connections, "no limit"}},
       "How many clients and workers may be connected. A listener has a limit of its own by "
       "?max-connections=N. Whoever comes beyond it is refused with 503."},
      {"max-connections-per-ip", "Limits",
       count_option{&settings::max_connections_per_ip, 0, {1, most_connections, "no limit"}},
       "How many of them may come from one IP address, or one IPv6 network of 64 bits. Whoever "
       "comes beyond it is refused with 429."},
      {"max-handshakes", "Limits",
       count_option{&settings::max_handshakes, 10'000, {1, most_connections, "no limit"}},
       "How many connections may be under way to their handshake. Beyond it, the one that has "
       "taken longest has to go, with 503, so that slow ones don't keep others out."},
      {"accept-rate", "Limits",
       count_option{&settings::accept_rate, 0, {1, highest_rate, "no limit"}},
       "How many connections may come in a second. Whoever comes too fast is refused with 429."},
      {"accept-rate-per-ip", "Limits",
       count_option{&settings::accept_rate_per_ip, 0, {1, highest_rate, "no limit"}},
       "How many of them may come from one IP address, or one IPv6 network of 64 bits."},
      {"message-rate", "Limits",
       count_option{&settings::message_rate, 0, {1, highest_rate, "no limit"}},
       "How many messages in a second each connection may send. One that sends more is read more "
       "slowly, so that TCP slows it down. Nothing is dropped.",
       every_mode},
      {"byte-rate", "Limits", size_option{&settings::byte_rate, 0, {1, TiB, "no limit"}},
       "How many bytes in a second each connection may send, heads of frames included. One that "
       "sends more is slowed down in the same way.",
       every_mode},
      {"rate-burst", "Limits", duration_option{&settings::rate_burst, 1s, {1ms, 10min}},
       "What would come in so much time at one of these rates may come at once."},
      {"max-buffered-bytes", "Limits",
       size_option{&settings::max_buffered_bytes, 0, {MiB, TiB, "no limit"}},
       "How many bytes of messages the broker may hold in all. Above it, newcomers are refused "
       "with 503, and those who send ahead of their peer are closed with 1013. Pairs go on."},

      {"handshake-timeout", "Timeouts",
       duration_option{&settings::handshake_timeout, 10s, {100ms, 10min}},
       "How long a new connection may take to complete its WebSocket handshake."},
      {"close-timeout", "Timeouts", duration_option{&settings::close_timeout, 5s, {100ms, 5min}},
       "How long a closing handshake may take before the connection is cut."},
      {"stall-timeout", "Timeouts", duration_option{&settings::stall_timeout, 30s, {100ms, 1h}},
       "How long a peer may take nothing while bytes wait for it, before it is closed with 4101.",
       every_mode},
      {"drain-timeout", "Timeouts",
       duration_option{&settings::drain_timeout, 10s, {1ms, 1h, "don't wait"}},
       "How long a shutdown may take to deliver what is under way."},

      {"extensions", "Extensions",
       names_option{&settings::extensions, {}, "actor types", R"(["greeter"])"},
       "Names of the actor types to spawn at start."},
      {"log-level", "Logging",
       choice_option<log_level>{&settings::log_level,
                                log_level::info,
                                {"trace", "debug", "info", "warning", "error", "off"}},
       "The least important lines that are logged."},

      {"heartbeat.client-interval", "Heartbeat",
       duration_option{&settings::heartbeat_client_interval, 30s, {50ms, 1h, "no pings"}},
       "How often each client is pinged."},
      {"heartbeat.worker-interval", "Heartbeat",
       duration_option{&settings::heartbeat_worker_interval, 30s, {50ms, 1h, "no pings"}},
       "How often each worker is pinged."},
      {"heartbeat.timeout", "Heartbeat",
       duration_option{&settings::heartbeat_timeout, 20s, {50ms, 1h}},
       "How long, from the sending of a ping, a connection may stay silent before it is closed "
       "with 4201. Any frame counts as a sign of life."},

      {"tls.certificates", "TLS",
       files_option{&settings::tls_certificates, {}, R"(["/etc/tandem/fullchain.pem"])"},
       "Certificates for listeners with wss://, each a file in PEM with its chain behind it. The "
       "one that has the name that a peer asks for is shown to it, and the first one if none has. "
       "SIGHUP has them and the files below read anew."},
      {"tls.private-keys", "TLS",
       files_option{&settings::tls_private_keys, {}, R"(["/etc/tandem/privkey.pem"])"},
       "The private keys of the certificates, in the same order, in PEM without a pass phrase. If "
       "the list is empty, each is in the file of its certificate."},
      {"tls.client-ca", "TLS",
       file_option{&settings::tls_client_ca, "", R"("/etc/tandem/clients-ca.pem")"},
       "The authorities that sign the certificates of clients and workers, in PEM."},
      {"tls.client-certificates", "TLS",
       choice_option<certificate_demand>{
           &settings::tls_client_certificates,
           certificate_demand::off,
           {certificate_demand_words.begin(), certificate_demand_words.end()}},
       "Whether clients and workers are asked for a certificate: one that is shown has to be "
       "valid. "
       "A listener's own option, such as ?client-certificates=required, goes before this."},
      {"tls.min-version", "TLS",
       choice_option<tls_version>{&settings::tls_min_version, tls_version::tls12, {"1.2", "1.3"}},
       "The oldest version of TLS that is accepted."},

      {"compression.mode", "Compression",
       choice_option<toggle>{&settings::compression, toggle::off, {"off", "on"}},
       "Whether peers that offer permessage-deflate may compress their messages. Compressed "
       "messages pass through as they are where the other side can read them, and are inflated, or "
       "deflated anew, where it can't. A listener's own option ?compression=on or ?compression=off "
       "goes before this, and a route's own before both.",
       every_mode},
      {"compression.max-window-bits", "Compression",
       count_option{&settings::compression_max_window_bits, 12, {9, 15}},
       "The window that peers are asked to compress with, and that the broker compresses with, as "
       "a power of two in bytes. A larger one compresses better and takes more memory; many "
       "libraries read no more than 12 bits."},
      {"compression.context-takeover", "Compression",
       choice_option<toggle>{&settings::compression_context_takeover, toggle::on, {"off", "on"}},
       "Whether a message may refer to earlier ones, which compresses small messages far better "
       "and takes memory for each connection. It is always off with on-peer-loss = wait or "
       "rematch, and with raw-reuse = keep."},
      {"compression.level", "Compression", count_option{&settings::compression_level, 3, {1, 9}},
       "How hard the broker tries where it has to compress: 1 is the fastest."},
      {"compression.memory-level", "Compression",
       count_option{&settings::compression_memory_level, 5, {1, 9}},
       "How much memory compressing takes beside its window: 512 bytes at 0, and twice as much "
       "with each level."},
      {"compression.threshold", "Compression",
       size_option{&settings::compression_threshold, 256, {1, GiB, "none"}},
       "A message smaller than this is sent as it is where the broker would have to compress it."},

      {"scheduler.max-threads", "Scheduler",
       count_option{&settings::network_threads, 0, {1, 256, "one per core"}},
       "Threads that carry the messages: the network workers."},
      {"scheduler.compute-threads", "Scheduler",
       count_option{&settings::compute_threads, 2, {1, 64}},
       "Threads that run every other actor: pairing, supervision and extensions."},
      {"scheduler.placement", "Scheduler",
       choice_option<placement>{&settings::placement, placement::load, {"load", "key", "spread"}},
       "Which network worker a pair is given to: the one that has the least to do, one chosen by "
       "its key, or the next one in turn for each of its ends. A pool's clients follow its "
       "workers, "
       "which are spread in any case."},
  };
}

template <class Option>
void reset(const Option& row, settings& to) {
  to.*row.member = std::remove_cvref_t<decltype(to.*row.member)>(row.fallback);
}

} // namespace

std::string_view option::section() const noexcept {
  auto dot = name.find('.');
  return dot == std::string_view::npos ? std::string_view{} : name.substr(0, dot);
}

std::string_view option::key() const noexcept {
  return name.substr(name.find('.') + 1);
}

std::span<const option> options() {
  static const auto table = make_table();
  return table;
}

const option* find_option(std::string_view name) {
  auto rows = options();
  auto found = std::ranges::find(rows, name, &option::name);
  return found == rows.end() ? nullptr : &*found;
}

std::vector<std::string_view> sections() {
  std::vector<std::string_view> result;
  for (const auto& row : options())
    if (auto name = row.section(); !name.empty() && std::ranges::count(result, name) == 0)
      result.push_back(name);
  return result;
}

settings settings_for(const settings& all, const route& which) {
  auto result = all;
  static_cast<route_settings&>(result) = which.own;
  result.compression = which.compression.value_or(all.compression);
  return result;
}

std::vector<route> settings::routes() const {
  return named_routes.empty()
             ? std::vector{route{"default", static_cast<const route_settings&>(*this)}}
             : named_routes;
}

settings::settings() {
  for (const auto& row : options())
    std::visit([this](const auto& type) { reset(type, *this); }, row.type);
}

} // namespace tandem::config
