/// What TLS connections are accepted with: certificates, keys, and whom to trust.
#pragma once

#include "net/tls_stream.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

using SSL_CTX = struct ssl_ctx_st;

namespace tandem::net {

/// Whether peers have to show a certificate of their own.
enum class certificate_demand : uint8_t { none, optional, required };

struct tls_options {
  /// Files in PEM: a certificate with the chain behind it, and its private key.
  struct identity {
    std::string certificate;
    std::string key;
  };

  /// The one whose certificate has the name that a peer asks for is shown to it (SNI, RFC 6066,
  /// section 3), the first if none has. At least one.
  std::vector<identity> identities;
  /// A file in PEM: the authorities that sign the peers' certificates. Empty: none is asked for.
  std::string client_ca{};
  /// TLS 1.2 is refused.
  bool only_tls13 = false;
};

/// A file that can't be used.
class tls_error : public std::runtime_error {
public:
  enum class part : uint8_t { certificate, key, client_ca };

  tls_error(part which, const std::string& file, const std::string& why)
      : std::runtime_error{file + " " + why}, which_{which} {}

  part which() const noexcept { return which_; }

private:
  part which_;
};

/// Makes the streams of new connections. It doesn't change, so any thread may use it; to reload is
/// to make another.
class tls_context {
public:
  /// Reads the files. Throws tls_error with the one at fault.
  explicit tls_context(const tls_options& options);
  tls_context(const tls_context&) = delete;
  ~tls_context();

  /// A stream for a new connection, which needs this until it is established. Throws
  /// std::bad_alloc.
  std::unique_ptr<tls_stream> accept(certificate_demand wanted) const;

  struct certificate_info {
    std::string file;
    std::string subject;
    /// In UTC.
    std::chrono::system_clock::time_point expires;
  };

  /// What it shows, in the order of the options.
  std::vector<certificate_info> certificates() const;

private:
  struct free_context {
    void operator()(SSL_CTX* x) const noexcept;
  };
  using context_ptr = std::unique_ptr<SSL_CTX, free_context>;

  static int choose(SSL* ssl, int* alert, void* self);

  std::vector<context_ptr> contexts_;
  std::vector<std::string> files_;
};

} // namespace tandem::net
