/// A connection's socket, in clear or over TLS.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <sys/types.h>

using SSL = struct ssl_st;

namespace tandem::bench {

/// A non-blocking socket that is read and written as if there was no TLS above it. Whom it talks to
/// isn't verified: a benchmark's relay shows a certificate that nobody signed.
class channel {
public:
  channel() = default;
  ~channel();
  channel(const channel&) = delete;
  channel& operator=(const channel&) = delete;

  /// Takes over `fd`, whose connection is under way.
  void open(int fd, bool tls);

  void close();

  int fd() const noexcept { return fd_; }

  /// As recv(2) and send(2). What send had no room for has to be given to it again.
  ssize_t receive(std::span<std::byte> room);
  ssize_t send(std::span<const std::byte> bytes);

  /// TLS's handshake waits for the relay, and writing with it.
  bool waits_for_relay() const noexcept;

private:
  ssize_t result_of(int result, size_t n);

  int fd_ = -1;
  SSL* ssl_ = nullptr;
};

} // namespace tandem::bench
