#include "actors/translate.hpp"

#include <algorithm>
#include <chrono>
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

net::recoder_options recoder_options_of(const config::settings& settings) {
  return {.max_message = settings.max_message_size,
          .piece = std::min<size_t>(net::recoder::largest_piece, settings.relay_window / 4),
          .threshold = settings.compression_threshold,
          .level = static_cast<int>(settings.compression_level),
          .memory_level = static_cast<int>(settings.compression_memory_level),
          .max_window_bits = static_cast<uint8_t>(settings.compression_max_window_bits)};
}

} // namespace

net::session_limits session_limits_of(const config::settings& settings) {
  net::session_limits limits;
  limits.decoder.max_message = settings.max_message_size;
  // Smaller than a step of credit, so that a piece can always be filled.
  limits.decoder.piece = std::min<size_t>(limits.decoder.piece, settings.relay_window / 4);
  limits.close_timeout = settings.close_timeout;
  limits.stall_timeout = settings.stall_timeout;
  const auto burst = settings.rate_burst;
  limits.rates = {{settings.message_rate, burst}, {settings.byte_rate, burst}};
  return limits;
}

net::front_options front_options_of(const config::settings& settings,
                                    const net::session_limits& limits, net::scheduler& scheduler) {
  net::front_options options;
  for (const auto& endpoint : settings.listen)
    options.listen.push_back(
        {.address = endpoint.address,
         .port = endpoint.port,
         .mode = endpoint.mode,
         .compression = endpoint.compression.value_or(settings.compression) == config::toggle::on,
         .proxy_protocol = endpoint.proxy_protocol,
         .max_connections = endpoint.max_connections,
         .tls = endpoint.tls,
         .client_certificates =
             demand_of(endpoint.client_certificates.value_or(settings.tls_client_certificates))});
  options.where = {settings.client_path, settings.worker_path};
  options.handshake_timeout = settings.handshake_timeout;
  options.limits = &limits;
  // One that waits for another peer passes on what several of them compressed, each with a context
  // of its own.
  options.deflate = {.max_window_bits = static_cast<uint8_t>(settings.compression_max_window_bits),
                     .keeps_context = settings.compression_context_takeover == config::toggle::on &&
                                      settings.on_peer_loss != config::loss_policy::wait};
  const auto burst = settings.rate_burst;
  options.door = {.connections = settings.max_connections,
                  .connections_per_address = settings.max_connections_per_ip,
                  .arrivals = {settings.accept_rate, burst},
                  .arrivals_per_address = {settings.accept_rate_per_ip, burst}};
  options.max_handshakes = settings.max_handshakes;
  options.max_buffered_bytes = settings.max_buffered_bytes;
  options.trusted = trusted_peers_of(settings.trusted_proxies);
  options.subprotocols = settings.subprotocols;
  options.tls = tls_of(settings);
  if (settings.placement == config::placement::key)
    options.choose_home = [&](const std::string& key) -> net::network_worker& {
      return scheduler.home_of(key);
    };
  else
    options.choose_home = [&](const std::string&) -> net::network_worker& {
      return scheduler.next_home();
    };
  return options;
}

std::shared_ptr<broker_parts> parts_of(const config::settings& settings, net::scheduler& scheduler,
                                       net::front& front, const extension_registry& extensions) {
  const bool waits = settings.on_peer_loss == config::loss_policy::wait;
  auto window = static_cast<int64_t>(settings.relay_window);
  auto parts = std::make_shared<broker_parts>(broker_parts{
      .homes = {},
      .gate = front,
      .connections = {.window = window,
                      .pending = std::min(static_cast<int64_t>(settings.pending_bytes), window),
                      .waits_for_next_peer = waits,
                      .recode = recoder_options_of(settings),
                      .most_buffered = settings.max_buffered_bytes},
      .heartbeats = {.client_interval = settings.heartbeat_client_interval,
                     .worker_interval = settings.heartbeat_worker_interval,
                     .timeout = settings.heartbeat_timeout},
      .pairs = {{.replaces = settings.on_conflict == config::conflict_policy::replace,
                 .waits_for_next_peer = waits,
                 .timeout = settings.pair_timeout}},
      .extensions = {},
  });
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
