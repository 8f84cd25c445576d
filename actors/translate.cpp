#include "actors/translate.hpp"

#include <algorithm>
#include <chrono>
#include <limits>
#include <string>
#include <utility>

namespace tandem {

namespace {

net::trusted_peers trusted_peers_of(const std::vector<config::network>& networks) {
  net::trusted_peers trusted;
  for (const auto& x : networks) {
    if (x.is_local()) {
      trusted.local = true;
      continue;
    }
    // The config's check has read it already.
    auto first = net::ip_address::parse(x.address).value();
    trusted.ranges.push_back({first, first.is_v4() && x.bits <= 32 ? 96 + x.bits : x.bits});
  }
  return trusted;
}

net::certificate_demand demand_of(config::certificate_demand wanted) {
  switch (wanted) {
  case config::certificate_demand::off:
    return net::certificate_demand::none;
  case config::certificate_demand::optional:
    return net::certificate_demand::optional;
  case config::certificate_demand::required:
    return net::certificate_demand::required;
  }
  return net::certificate_demand::none;
}

/// Whether connections of that side may meet several peers, one after the other.
bool outlives_peers(const config::route_settings& own, role side) {
  switch (own.mode) {
  case config::pairing_mode::exclusive:
    break;
  case config::pairing_mode::pool:
    if (side == role::worker)
      return own.raw_reuse == config::reuse_policy::keep;
    break;
  case config::pairing_mode::shared:
    // Its worker has a channel for each of them.
    if (side == role::worker)
      return false;
    break;
  }
  return own.on_peer_loss != config::loss_policy::close;
}

bool outlives_peers(const config::route_settings& own) {
  return outlives_peers(own, role::client) || outlives_peers(own, role::worker);
}

net::recoder_options recoder_options_of(const config::settings& settings,
                                        const config::route_settings& own) {
  return {.max_message = own.max_message_size,
          .piece = std::min<size_t>(net::recoder::largest_piece, own.relay_window / 4),
          .threshold = settings.compression_threshold,
          .level = static_cast<int>(settings.compression_level),
          .memory_level = static_cast<int>(settings.compression_memory_level),
          .max_window_bits = static_cast<uint8_t>(settings.compression_max_window_bits)};
}

/// The most clients of one framed worker.
uint32_t slots_of(const config::route_settings& own) {
  switch (own.mode) {
  case config::pairing_mode::exclusive:
    return 1;
  case config::pairing_mode::pool:
    return static_cast<uint32_t>(own.max_capacity);
  case config::pairing_mode::shared:
    return std::numeric_limits<uint32_t>::max();
  }
  return 1;
}

connection_options connection_options_of(const config::settings& settings,
                                         const config::route_settings& own, role side) {
  const auto window = static_cast<int64_t>(own.relay_window);
  return {.window = window,
          .pending = std::min(static_cast<int64_t>(own.pending_bytes), window),
          .waits_for_next_peer = outlives_peers(own, side),
          .recode = recoder_options_of(settings, own),
          .most_buffered = settings.max_buffered_bytes,
          .rematches = own.on_peer_loss == config::loss_policy::rematch,
          .pools = own.mode != config::pairing_mode::exclusive,
          .shares = own.mode == config::pairing_mode::shared,
          .max_capacity = slots_of(own),
          .client_heartbeat = settings.heartbeat_client_interval,
          .worker_heartbeat = settings.heartbeat_worker_interval,
          .patience = own.stall_timeout};
}

pairing_mode mode_of(config::pairing_mode mode) {
  switch (mode) {
  case config::pairing_mode::exclusive:
    return pairing_mode::exclusive;
  case config::pairing_mode::pool:
    return pairing_mode::pool;
  case config::pairing_mode::shared:
    return pairing_mode::shared;
  }
  return pairing_mode::exclusive;
}

selection selection_of(config::selection select) {
  switch (select) {
  case config::selection::least_loaded:
    return selection::least_loaded;
  case config::selection::round_robin:
    return selection::round_robin;
  case config::selection::random:
    return selection::random;
  case config::selection::sticky:
    return selection::sticky;
  }
  return selection::least_loaded;
}

pairing_options pairing_options_of(const config::route_settings& own) {
  return {.replaces = own.on_conflict == config::conflict_policy::replace,
          .waits_for_next_peer = own.on_peer_loss != config::loss_policy::close,
          .timeout = own.pair_timeout,
          .mode = mode_of(own.mode),
          .select = selection_of(own.select),
          .max_waiting = own.max_waiting,
          .wait_timeout = own.wait_timeout,
          .keeps_raw_workers = own.raw_reuse == config::reuse_policy::keep};
}

net::request_value request_value_of(const config::request_value& value) {
  using part = net::request_value::part;
  switch (value.in) {
  case config::request_part::none:
    return {};
  case config::request_part::query:
    return {part::query, value.name};
  case config::request_part::header:
    return {part::header, value.name};
  case config::request_part::cookie:
    return {part::cookie, value.name};
  }
  return {};
}

net::route route_of(const config::settings& settings, const config::route& which,
                    const net::session_limits& limits) {
  const auto& own = which.own;
  net::route result{.client_path = own.client_path, .worker_path = own.worker_path};
  result.pools = own.mode == config::pairing_mode::pool;
  result.shares = own.mode == config::pairing_mode::shared;
  result.max_capacity = slots_of(own);
  if (own.select == config::selection::sticky)
    result.sticky_by = request_value_of(own.sticky_by);
  result.priority_by = request_value_of(own.priority_by);
  result.open_headers = own.open_headers;
  result.subprotocols = own.subprotocols;
  if (which.compression)
    result.compression = which.compression == config::toggle::on;
  // One that waits for another peer passes on what several of them compressed, each with a context
  // of its own.
  result.deflate = {.max_window_bits = static_cast<uint8_t>(settings.compression_max_window_bits),
                    .keeps_context = settings.compression_context_takeover == config::toggle::on &&
                                     !outlives_peers(own)};
  result.limits = &limits;
  return result;
}

std::vector<net::listen_address> listeners_of(const config::settings& settings) {
  std::vector<net::listen_address> result;
  for (const auto& endpoint : settings.listen)
    result.push_back(
        {.address = endpoint.address,
         .port = endpoint.port,
         .mode = endpoint.mode,
         .compression = endpoint.compression.value_or(settings.compression) == config::toggle::on,
         .proxy_protocol = endpoint.proxy_protocol,
         .max_connections = endpoint.max_connections,
         .tls = endpoint.tls,
         .client_certificates =
             demand_of(endpoint.client_certificates.value_or(settings.tls_client_certificates))});
  return result;
}

/// Both ends of a pair share a worker, by its key; but a pool's workers are spread over all, and
/// its clients follow them.
net::network_worker& home_for(const peer_info& who, const verdict& answer, bool by_key,
                              const std::vector<bool>& pools, net::scheduler& scheduler) {
  if (answer.home >= 0)
    return scheduler.network(static_cast<size_t>(answer.home));
  const bool alone = pools[who.route] && who.side == role::worker;
  return by_key && !alone ? scheduler.home_of(who.key) : scheduler.next_home();
}

net::session_limits limits_of(const config::settings& settings, const config::route_settings& own) {
  net::session_limits limits;
  limits.decoder.max_message = own.max_message_size;
  // Smaller than a step of credit, so that a piece can always be filled.
  limits.decoder.piece = std::min<size_t>(limits.decoder.piece, own.relay_window / 4);
  limits.close_timeout = settings.close_timeout;
  limits.stall_timeout = own.stall_timeout;
  const auto burst = settings.rate_burst;
  limits.rates = {{own.message_rate, burst}, {own.byte_rate, burst}};
  return limits;
}

} // namespace

std::vector<net::session_limits> session_limits_of(const config::settings& settings) {
  std::vector<net::session_limits> result;
  for (const auto& route : settings.routes())
    result.push_back(limits_of(settings, route.own));
  return result;
}

net::front_options front_options_of(const config::settings& settings,
                                    const std::vector<net::session_limits>& limits,
                                    net::scheduler& scheduler) {
  net::front_options options;
  options.listen = listeners_of(settings);
  const auto routes = settings.routes();
  std::vector<bool> pools;
  for (size_t i = 0; i < routes.size(); ++i) {
    options.routes.push_back(route_of(settings, routes[i], limits[i]));
    pools.push_back(options.routes.back().pools);
  }
  options.handshake_timeout = settings.handshake_timeout;
  const auto burst = settings.rate_burst;
  options.door = {.connections = settings.max_connections,
                  .connections_per_address = settings.max_connections_per_ip,
                  .arrivals = {settings.accept_rate, burst},
                  .arrivals_per_address = {settings.accept_rate_per_ip, burst}};
  options.max_handshakes = settings.max_handshakes;
  options.max_buffered_bytes = settings.max_buffered_bytes;
  options.trusted = trusted_peers_of(settings.trusted_proxies);
  options.tls = tls_of(settings);
  const bool by_key = settings.placement == config::placement::key;
  options.choose_home = [&scheduler, by_key, pools](const peer_info& who,
                                                    const verdict& answer) -> net::network_worker& {
    return home_for(who, answer, by_key, pools, scheduler);
  };
  return options;
}

std::shared_ptr<broker_parts> parts_of(const config::settings& settings, net::scheduler& scheduler,
                                       net::front& front, const extension_registry& extensions) {
  auto parts = std::make_shared<broker_parts>(broker_parts{
      .homes = {},
      .gate = front,
      .connections = {},
      .heartbeats = {.client_interval = settings.heartbeat_client_interval,
                     .worker_interval = settings.heartbeat_worker_interval,
                     .timeout = settings.heartbeat_timeout},
      .pairs = {},
      .shards = std::max<size_t>(1, settings.compute_threads),
      .extensions = {},
  });
  for (const auto& route : settings.routes()) {
    parts->connections.push_back({connection_options_of(settings, route.own, role::client),
                                  connection_options_of(settings, route.own, role::worker)});
    parts->pairs.push_back(pairing_options_of(route.own));
    if (settings.placement == config::placement::load)
      parts->pairs.back().choose_home = [&scheduler] {
        return static_cast<int32_t>(scheduler.lightest_home().index());
      };
  }
  for (size_t i = 0; i < scheduler.networks(); ++i)
    parts->homes.emplace_back(scheduler.network(i));
  for (const auto& name : settings.extensions)
    parts->extensions.insert(*extensions.find(name));
  return parts;
}

std::shared_ptr<const net::tls_context> tls_of(const config::settings& settings) {
  const auto& certificates = settings.tls_certificates;
  const auto& keys = settings.tls_private_keys;
  if (certificates.empty())
    return nullptr;
  net::tls_options options;
  for (size_t i = 0; i < certificates.size(); ++i)
    options.identities.push_back({certificates[i], keys.empty() ? certificates[i] : keys[i]});
  options.client_ca = settings.tls_client_ca;
  options.only_tls13 = settings.tls_min_version == config::tls_version::tls13;
  return std::make_shared<net::tls_context>(options);
}

std::optional<std::pair<std::string_view, std::string>>
find_tls_fault(const config::settings& settings) {
  using part = net::tls_error::part;
  try {
    tls_of(settings);
    return std::nullopt;
  } catch (const net::tls_error& error) {
    const bool in_key = error.which() == part::key && !settings.tls_private_keys.empty();
    return std::pair{error.which() == part::client_ca ? "tls.client-ca"
                     : in_key                         ? "tls.private-keys"
                                                      : "tls.certificates",
                     error.what()};
  }
}

} // namespace tandem
