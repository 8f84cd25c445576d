#include "tests/bench/load/channel.hpp"

#include <cerrno>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace tandem::bench {

namespace {

/// One for all, and for ever.
SSL_CTX* client_context() {
  static SSL_CTX* const context = [] {
    auto* x = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_mode(x, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                            SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    return x;
  }();
  return context;
}

} // namespace

channel::~channel() {
  close();
}

void channel::open(int fd, bool tls) {
  fd_ = fd;
  if (!tls)
    return;
  ssl_ = SSL_new(client_context());
  SSL_set_fd(ssl_, fd);
  SSL_set_connect_state(ssl_);
}

void channel::close() {
  SSL_free(std::exchange(ssl_, nullptr));
  if (fd_ >= 0)
    ::close(std::exchange(fd_, -1));
}

ssize_t channel::receive(std::span<std::byte> room) {
  if (ssl_ == nullptr)
    return ::recv(fd_, room.data(), room.size(), 0);
  ERR_clear_error();
  size_t got = 0;
  // A record at a time; what is left in OpenSSL doesn't make the socket readable.
  for (size_t n = 0; got < room.size(); got += n)
    if (auto result = SSL_read_ex(ssl_, room.data() + got, room.size() - got, &n); result != 1)
      return result_of(result, got);
  return static_cast<ssize_t>(got);
}

ssize_t channel::send(std::span<const std::byte> bytes) {
  if (ssl_ == nullptr)
    return ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  ERR_clear_error();
  size_t sent = 0;
  for (size_t n = 0; sent < bytes.size(); sent += n)
    if (auto result = SSL_write_ex(ssl_, bytes.data() + sent, bytes.size() - sent, &n); result != 1)
      return result_of(result, sent);
  return static_cast<ssize_t>(sent);
}

bool channel::waits_for_relay() const noexcept {
  return ssl_ != nullptr && SSL_is_init_finished(ssl_) == 0 && SSL_want_read(ssl_);
}

/// What a call returns that `n` bytes went through before it failed.
ssize_t channel::result_of(int result, size_t n) {
  if (n > 0)
    return static_cast<ssize_t>(n);
  switch (SSL_get_error(ssl_, result)) {
  case SSL_ERROR_WANT_READ:
  case SSL_ERROR_WANT_WRITE:
    errno = EAGAIN;
    return -1;
  case SSL_ERROR_ZERO_RETURN:
    return 0;
  case SSL_ERROR_SYSCALL:
    if (errno == 0)
      errno = ECONNRESET;
    return -1;
  default:
    errno = EPROTO;
    return -1;
  }
}

} // namespace tandem::bench
