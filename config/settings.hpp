/// What tandem runs by: every option of the config file and the command line, checked and typed.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tandem::config {

/// What a second claimant of a taken key meets.
enum class conflict_policy { reject, replace };

/// What becomes of a peer whose other side has gone.
enum class loss_policy { close, wait, rematch };

/// Who may share a key.
enum class pairing_mode { exclusive, pool, shared };

/// Which of a pool's workers a client gets.
enum class selection { least_loaded, round_robin, random, sticky };

/// What becomes of a raw worker of a pool whose client has gone.
enum class reuse_policy { close, keep };

/// Which network worker a new connection is given to.
enum class placement { load, key, spread };

/// The least important line that is logged.
enum class log_level { trace, debug, info, warning, error, off };

/// Whether a feature is used.
enum class toggle { off, on };

/// Whether peers have to show a certificate of their own.
enum class certificate_demand { off, optional, required };
inline constexpr std::array<std::string_view, 3> certificate_demand_words{"off", "optional",
                                                                          "required"};

/// The oldest version of TLS that is accepted.
enum class tls_version { tls12, tls13 };

/// Where to listen, and how.
struct endpoint {
  /// A numeric IPv4 or IPv6 address, without brackets, or the absolute path of a Unix-domain
  /// socket.
  std::string address;
  /// 0 takes any free port.
  uint16_t port = 0;
  /// Who may connect to a Unix-domain socket: the permission bits of its file.
  uint16_t mode = 0660;
  /// Whether messages may be compressed; as compression.mode has it if it isn't set.
  std::optional<toggle> compression{};
  /// Every connection begins with a PROXY header.
  bool proxy_protocol = false;
  /// Connections by this listener; 0: no limit.
  size_t max_connections = 0;
  /// wss://.
  bool tls = false;
  /// As tls.client-certificates has it if it isn't set.
  std::optional<certificate_demand> client_certificates{};

  bool is_unix() const noexcept { return address.starts_with('/'); }

  bool operator==(const endpoint&) const = default;
};

/// Addresses that are treated alike.
struct network {
  /// A numeric IP address, or "unix" for the peers of Unix-domain sockets.
  std::string address;
  /// The bits that count, from the first.
  unsigned bits = 0;

  bool is_local() const noexcept { return address == "unix"; }

  bool operator==(const network&) const = default;
};

/// Where a request may say something that its route goes by.
enum class request_part { none, query, header, cookie };

/// A named value in a request.
struct request_value {
  request_part in = request_part::none;
  std::string name{};

  bool operator==(const request_value&) const = default;
};

/// What may differ from one route to another.
struct route_settings {
  std::string client_path{};
  std::string worker_path{};
  /// Names, in no order.
  std::vector<std::string> subprotocols{};
  /// Names of headers.
  std::vector<std::string> open_headers{};

  pairing_mode mode{};
  conflict_policy on_conflict{};
  loss_policy on_peer_loss{};
  /// 0: no limit.
  std::chrono::milliseconds pair_timeout{};
  /// Bytes.
  uint64_t pending_bytes{};

  selection select{};
  request_value sticky_by{};
  request_value priority_by{};
  /// 0: none may wait.
  size_t max_waiting{};
  /// 0: no limit.
  std::chrono::milliseconds wait_timeout{};
  size_t max_capacity{};
  reuse_policy raw_reuse{};

  /// Bytes per direction of a pair.
  uint64_t relay_window{};
  /// Bytes.
  uint64_t max_message_size{};
  /// Messages per second of each connection; 0: no limit.
  size_t message_rate{};
  /// Bytes per second of each connection; 0: no limit.
  uint64_t byte_rate{};

  std::chrono::milliseconds stall_timeout{};

  bool operator==(const route_settings&) const = default;
};

/// A route of the config.
struct route {
  std::string name;
  route_settings own{};
  /// Whether its messages may be compressed, if the route itself says so; otherwise it is for the
  /// listener to say.
  std::optional<toggle> compression{};

  bool operator==(const route&) const = default;
};

/// One value per row of the option table, which holds what each of them means and accepts. Those
/// that a route may have are what routes have that don't say otherwise.
struct settings : route_settings {
  /// Every field at the default that the option table gives it.
  settings();

  /// Those that the config names, completed; none without a section of a route.
  std::vector<route> named_routes;

  /// The routes that there are, at least one: without a section, "default" has all that the global
  /// options say.
  std::vector<route> routes() const;

  std::vector<endpoint> listen;
  std::vector<network> trusted_proxies;

  /// 0: no limit, here and below.
  size_t max_connections;
  size_t max_connections_per_ip;
  size_t max_handshakes;
  /// Connections per second.
  size_t accept_rate;
  size_t accept_rate_per_ip;
  /// What comes in so much time at these rates may come at once.
  std::chrono::milliseconds rate_burst;
  /// Bytes.
  uint64_t max_buffered_bytes;

  std::chrono::milliseconds handshake_timeout;
  std::chrono::milliseconds close_timeout;
  /// 0: don't wait.
  std::chrono::milliseconds drain_timeout;

  /// 0: no pings.
  std::chrono::milliseconds heartbeat_client_interval;
  /// 0: no pings.
  std::chrono::milliseconds heartbeat_worker_interval;
  std::chrono::milliseconds heartbeat_timeout;

  /// File names, the second list empty or as long as the first.
  std::vector<std::string> tls_certificates;
  std::vector<std::string> tls_private_keys;
  /// A file name; empty for none.
  std::string tls_client_ca;
  certificate_demand tls_client_certificates;
  tls_version tls_min_version;

  toggle compression;
  /// LZ77 windows of messages, as a power of two in bytes.
  size_t compression_max_window_bits;
  toggle compression_context_takeover;
  /// zlib's.
  size_t compression_level;
  size_t compression_memory_level;
  /// Bytes; 0: no message is too small.
  uint64_t compression_threshold;

  /// 0: as many as the machine has cores.
  size_t network_threads;
  size_t compute_threads;
  config::placement placement;

  /// Names of actor types.
  std::vector<std::string> extensions;
  config::log_level log_level;

  bool operator==(const settings&) const = default;
};

} // namespace tandem::config
