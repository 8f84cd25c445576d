/// Where connections come in: listening, the HTTP handshake, and the hand-over to a network worker.
#pragma once

#include "net/gate.hpp"
#include "net/ip_address.hpp"
#include "net/network_worker.hpp"
#include "net/refusal_counts.hpp"
#include "net/route.hpp"
#include "net/session.hpp"
#include "net/tls_context.hpp"
#include "net/turnstile.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace tandem::net {

/// Where to listen, and how.
struct listen_address {
  /// A numeric IP address, or the absolute path of a Unix-domain socket.
  std::string address;
  /// 0 takes any free port.
  uint16_t port = 0;
  /// The permission bits of a Unix-domain socket's file.
  uint16_t mode = 0660;
  /// Its peers may have their messages compressed.
  bool compression = false;
  /// Every connection begins with a PROXY header.
  bool proxy_protocol = false;
  /// The most connections; 0 for no limit.
  size_t max_connections = 0;
  /// Its peers speak TLS.
  bool tls = false;
  certificate_demand client_certificates = certificate_demand::none;
};

struct front_options {
  std::vector<listen_address> listen;
  /// At least one.
  std::vector<route> routes;
  /// From the TCP connection to the end of the handshake.
  std::chrono::milliseconds handshake_timeout{10000};
  turnstile_limits door{};
  /// Handshakes that may wait for their peers at a time; 0 for no limit.
  size_t max_handshakes = 0;
  /// With more than so many bytes in chunks nobody new comes in; 0 for no limit.
  uint64_t max_buffered_bytes = 0;
  /// Proxies that may say whose connection they pass on.
  trusted_peers trusted{};
  /// For peers of listeners with TLS.
  std::shared_ptr<const tls_context> tls{};
  /// The network worker for a peer, of which its verdict may know more.
  std::function<network_worker&(const peer_info& who, const verdict& answer)> choose_home;
};

/// One thread with its own event loop. Handshakes and garbage stay here and delay no message.
class front final : public home, public gate {
public:
  /// Binds and listens; throws std::runtime_error with the address at fault.
  front(caf::actor_system& system, front_options options);
  ~front() override;

  /// "address:port" with the real port, "wss://" before it for TLS, or "unix:path", for each
  /// listener.
  std::vector<std::string> listening() const;

  /// How often each refusal came about. Any thread.
  const refusal_counts& refusals() const noexcept;

  /// Starts the thread. Peers are served once there is a gatekeeper.
  void start();

  /// Returns once there is a gatekeeper. Not from its own thread.
  void wait_until_guarded() const;

  /// Whether there is a gatekeeper. Any thread.
  bool guarded() const noexcept;

  /// Accepts connections by TLS with this from now on. Any thread.
  void use(std::shared_ptr<const tls_context> tls);

  /// Closes the listeners. Any thread.
  void stop_accepting();

  /// Drops the handshakes that are left, ends the thread and joins it. Not from its own thread.
  void stop();

  // -- home and gate

  void exec_later(caf::resumable* job) override;
  size_t index() const noexcept override { return 0; }
  void call_after(std::chrono::milliseconds delay, std::function<void()> what) override;
  home& where() noexcept override { return *this; }
  void guard_with(gatekeeper* keeper) override;

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace tandem::net
