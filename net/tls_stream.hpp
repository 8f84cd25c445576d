/// TLS of one connection, without any I/O.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <sys/uio.h>

using SSL = struct ssl_st;
using X509 = struct x509_st;

namespace tandem::net {

/// The subject of a certificate, as RFC 4514 writes it. Any thread.
std::string subject_of(const X509& certificate);

/// The server's side of TLS, done by OpenSSL: ciphertext goes in and comes out as bytes. It may
/// move from thread to thread, but belongs to one at a time. What it makes for the other end is in
/// the thread's output(), which the next call on the same thread replaces.
class tls_stream {
public:
  enum class status : uint8_t {
    /// All ciphertext is used up, and more may come.
    open,
    /// The other end will send nothing more (RFC 8446, section 6.1).
    closed,
    /// The other end broke TLS, or isn't to be trusted: fault() says how. An alert is in output().
    failed,
  };

  /// How much plaintext may come out beyond the ciphertext that went in: a record that was held
  /// until it was whole (RFC 8446, section 5.1).
  static constexpr size_t held_plaintext = size_t{16} << 10;

  /// The most that one call of send encrypts, in bytes.
  static constexpr size_t most_sent = size_t{64} << 10;

  /// Takes over `made`, a server's object that has done nothing yet.
  explicit tls_stream(SSL* made) noexcept : ssl_{made} {}

  /// Uses up all of `in`: goes on with the handshake, then decrypts into `out`, which has room for
  /// in.size() + held_plaintext. `size` becomes the bytes of plaintext.
  status receive(std::span<const std::byte> in, std::span<std::byte> out, size_t& size);

  /// Encrypts the first bytes of `parts`, up to most_sent. Returns how many bytes that is; 0 if it
  /// can't any more.
  size_t send(std::span<const iovec> parts);

  /// Tells the other end that nothing more will be sent. Does nothing the second time.
  void close();

  /// Whether the handshake is done.
  bool established() const noexcept;

  /// What went wrong, in OpenSSL's words, after `failed`.
  const std::string& fault() const noexcept { return fault_; }

  /// The subject of the other end's certificate, which was verified, as RFC 4514 writes it; empty
  /// if it showed none.
  std::string subject() const;

  /// The thread's ciphertext that is to be sent to the other end of whichever stream was called
  /// last.
  static std::span<const std::byte> output() noexcept;

private:
  struct free_ssl {
    void operator()(SSL* x) const noexcept;
  };

  status status_of(int result);
  void begin(std::span<const std::byte> in);
  bool bears_empty_step();

  std::unique_ptr<SSL, free_ssl> ssl_;
  /// What came without plaintext, less the plaintext that came since, in bytes.
  uint32_t unpaid_ = 0;
  std::string fault_;
};

} // namespace tandem::net
