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
enum class loss_policy { close, wait };

/// Which network worker a new connection is given to.
enum class placement { key, spread };

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

/// One value per row of the option table, which holds what each of them means and accepts.
struct settings {
  /// Every field at the default that the option table gives it.
  settings();

  std::vector<endpoint> listen;
  std::string client_path;
  std::string worker_path;
  /// Names, in no order.
  std::vector<std::string> subprotocols;
  std::vector<network> trusted_proxies;

  conflict_policy on_conflict;
  loss_policy on_peer_loss;
  /// 0: no limit.
  std::chrono::milliseconds pair_timeout;
  /// Bytes.
  uint64_t pending_bytes;

  /// Bytes per direction of a pair.
  uint64_t relay_window;
  /// Bytes.
  uint64_t max_message_size;
  /// 0: no limit, here and below.
  size_t max_connections;
  size_t max_connections_per_ip;
  size_t max_handshakes;
  /// Connections per second.
  size_t accept_rate;
  size_t accept_rate_per_ip;
  /// Messages per second of each connection.
  size_t message_rate;
  /// Bytes per second of each connection.
  uint64_t byte_rate;
  /// What comes in so much time at these rates may come at once.
  std::chrono::milliseconds rate_burst;
  /// Bytes.
  uint64_t max_buffered_bytes;

  std::chrono::milliseconds handshake_timeout;
  std::chrono::milliseconds close_timeout;
  std::chrono::milliseconds stall_timeout;
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
