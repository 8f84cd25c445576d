#include "net/tls_stream.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <utility>
#include <vector>

namespace tandem::net {

namespace {

constexpr size_t record_size = SSL3_RT_MAX_PLAIN_LENGTH;

/// What a step that brings no plaintext counts for, in bytes of it. A change of keys is one, and to
/// answer it another: it costs its sender next to nothing, and the broker more than a full record.
/// Only a few may come ahead of the plaintext that pays for them, as other libraries have it, too;
/// RFC 8446, section 4.6.3, sets no limit.
constexpr uint32_t empty_step_cost = 128;
constexpr uint32_t most_unpaid = 64 * empty_step_cost;

/// Memory that a thread keeps for its next output.
constexpr size_t kept_output = 2 * tls_stream::most_sent;

/// Where the streams of a thread read and write their ciphertext. They take turns with it, since
/// each call on a stream uses up all that it is given. So none of them needs a BIO of its own.
class wire {
public:
  static wire& of_this_thread() {
    static thread_local wire instance;
    return instance;
  }

  wire(const wire&) = delete;

  /// Has `ssl` read `bytes` and write to an empty output.
  void begin(SSL* ssl, std::span<const std::byte> bytes) {
    in = bytes;
    if (out.capacity() > kept_output)
      out = {};
    out.clear();
    // Clearing goes over all of the queue.
    if (ERR_peek_error() != 0)
      ERR_clear_error();
    if (SSL_get_rbio(ssl) == bio_)
      return;
    BIO_up_ref(bio_);
    SSL_set_bio(ssl, bio_, bio_);
  }

  std::span<const std::byte> in;
  std::vector<std::byte> out;
  /// Where small parts are joined to a record.
  std::array<std::byte, record_size> record;

private:
  wire() : bio_{BIO_new(methods())} {
    BIO_set_data(bio_, this);
    BIO_set_init(bio_, 1);
  }

  /// Streams that are freed later still refer to the BIO, but don't use it.
  ~wire() { BIO_free(bio_); }

  static const BIO_METHOD* methods() {
    static const BIO_METHOD* const table = [] {
      auto* x = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "tandem");
      BIO_meth_set_read_ex(x, read);
      BIO_meth_set_write_ex(x, write);
      BIO_meth_set_ctrl(x, [](BIO*, int command, long, void*) -> long {
        return command == BIO_CTRL_FLUSH ? 1 : 0;
      });
      return x;
    }();
    return table;
  }

  static int read(BIO* bio, char* to, size_t size, size_t* done) {
    auto& in = static_cast<wire*>(BIO_get_data(bio))->in;
    BIO_clear_retry_flags(bio);
    *done = std::min(size, in.size());
    if (*done == 0) {
      BIO_set_retry_read(bio);
      return 0;
    }
    std::memcpy(to, in.data(), *done);
    in = in.subspan(*done);
    return 1;
  }

  static int write(BIO* bio, const char* from, size_t size, size_t* done) {
    auto& out = static_cast<wire*>(BIO_get_data(bio))->out;
    const auto* bytes = reinterpret_cast<const std::byte*>(from);
    out.insert(out.end(), bytes, bytes + size);
    *done = size;
    return 1;
  }

  BIO* bio_;
};

/// What OpenSSL says of its last failure.
std::string last_error(const SSL* ssl) {
  const auto* reason = ERR_reason_error_string(ERR_peek_last_error());
  std::string text = reason == nullptr ? "TLS failed" : std::string{"TLS: "} + reason;
  if (auto verified = SSL_get_verify_result(ssl); verified != X509_V_OK)
    text.append(" (").append(X509_verify_cert_error_string(verified)).append(")");
  return text;
}

} // namespace

std::string subject_of(const X509& certificate) {
  std::unique_ptr<BIO, decltype(&BIO_free)> text{BIO_new(BIO_s_mem()), BIO_free};
  X509_NAME_print_ex(text.get(), X509_get_subject_name(&certificate), 0, XN_FLAG_RFC2253);
  char* bytes = nullptr;
  const auto size = BIO_get_mem_data(text.get(), &bytes);
  return {bytes, static_cast<size_t>(size)};
}

void tls_stream::free_ssl::operator()(SSL* x) const noexcept {
  SSL_free(x);
}

void tls_stream::begin(std::span<const std::byte> in) {
  wire::of_this_thread().begin(ssl_.get(), in);
}

std::span<const std::byte> tls_stream::output() noexcept {
  return wire::of_this_thread().out;
}

tls_stream::status tls_stream::status_of(int result) {
  switch (SSL_get_error(ssl_.get(), result)) {
  case SSL_ERROR_WANT_READ:
    return status::open;
  case SSL_ERROR_ZERO_RETURN:
    return status::closed;
  default:
    fault_ = last_error(ssl_.get());
    return status::failed;
  }
}

tls_stream::status tls_stream::receive(std::span<const std::byte> in, std::span<std::byte> out,
                                       size_t& size) {
  size = 0;
  if (!fault_.empty())
    return status::failed;
  begin(in);
  if (!established())
    if (auto result = SSL_accept(ssl_.get()); result != 1)
      return status_of(result);
  const auto& rest = wire::of_this_thread().in;
  // Asking once more than is needed would cost as much as a small record.
  while (!rest.empty() || SSL_pending(ssl_.get()) > 0) {
    size_t n = 0;
    auto result = SSL_read_ex(ssl_.get(), out.data() + size, out.size() - size, &n);
    unpaid_ -= static_cast<uint32_t>(std::min<size_t>(unpaid_, n));
    size += n;
    if (result == 1)
      continue;
    if (auto reached = status_of(result); reached != status::open)
      return reached;
    // Without SSL_MODE_AUTO_RETRY this is so after each such step, not only if a record isn't
    // whole.
    if ((!rest.empty() || SSL_has_pending(ssl_.get()) == 0) && !bears_empty_step())
      return status::failed;
  }
  return status::open;
}

/// Something came that wasn't plaintext. False if that is a fault of the other end.
bool tls_stream::bears_empty_step() {
  unpaid_ += empty_step_cost;
  // Nothing could be sent before the rest has come.
  if (!established())
    fault_ = "TLS: a message of a handshake's is in parts";
  else if (unpaid_ > most_unpaid)
    fault_ = "TLS: too many changes of keys";
  return fault_.empty();
}

size_t tls_stream::send(std::span<const iovec> parts) {
  if (!fault_.empty())
    return 0;
  begin({});
  auto& record = wire::of_this_thread().record;
  size_t sent = 0;
  size_t filled = 0;
  auto write = [&](const void* bytes, size_t size) {
    size_t n = 0;
    if (SSL_write_ex(ssl_.get(), bytes, size, &n) != 1) {
      // It never waits to write, but would in the midst of another handshake, which nobody needs.
      fault_ = last_error(ssl_.get());
      return false;
    }
    sent += n;
    return true;
  };
  for (const auto& part : parts) {
    std::span left{static_cast<const std::byte*>(part.iov_base), part.iov_len};
    while (!left.empty() && sent + filled < tls_stream::most_sent) {
      auto next = left.first(std::min(left.size(), record_size - filled));
      left = left.subspan(next.size());
      if (filled == 0 && (next.size() == record_size || parts.size() == 1)) {
        if (!write(next.data(), next.size()))
          return 0;
        continue;
      }
      std::memcpy(record.data() + filled, next.data(), next.size());
      filled += next.size();
      if (filled == record_size && !write(record.data(), std::exchange(filled, 0)))
        return 0;
    }
  }
  if (filled > 0 && !write(record.data(), filled))
    return 0;
  return sent;
}

void tls_stream::close() {
  begin({});
  if (fault_.empty() && established() && (SSL_get_shutdown(ssl_.get()) & SSL_SENT_SHUTDOWN) == 0)
    SSL_shutdown(ssl_.get());
}

bool tls_stream::established() const noexcept {
  return SSL_is_init_finished(ssl_.get()) == 1;
}

std::string tls_stream::subject() const {
  std::unique_ptr<X509, decltype(&X509_free)> certificate{SSL_get1_peer_certificate(ssl_.get()),
                                                          X509_free};
  if (!certificate)
    return {};
  return subject_of(*certificate);
}

} // namespace tandem::net
