/// The other end of TLS in a test's hands, and a certificate for this end.
#pragma once

#include "net/tls_context.hpp"

#include <array>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unistd.h>

namespace tandem::net {

inline void must(bool holds, const char* what) {
  if (!holds)
    throw std::runtime_error{std::string{"the test's own TLS failed: "} + what};
}

/// The files of a certificate that signs itself; gone with it.
class test_identity {
public:
  explicit test_identity(const std::string& name, bool rsa = false) {
    std::string pattern = (std::filesystem::temp_directory_path() / "tandem-test-XXXXXX").string();
    must(::mkdtemp(pattern.data()) != nullptr, "mkdtemp");
    folder_ = pattern;
    files_ = {(folder_ / "certificate.pem").string(), (folder_ / "key.pem").string()};
    std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key{
        rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256"), EVP_PKEY_free};
    std::unique_ptr<X509, decltype(&X509_free)> x{X509_new(), X509_free};
    X509_set_version(x.get(), X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(x.get()), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x.get()), 3600);
    auto* subject = X509_get_subject_name(x.get());
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
    X509_set_issuer_name(x.get(), subject);
    X509_set_pubkey(x.get(), key.get());
    must(X509_sign(x.get(), key.get(), EVP_sha256()) > 0, "X509_sign");
    write(files_.certificate, [&](FILE* to) { return PEM_write_X509(to, x.get()); });
    write(files_.key, [&](FILE* to) {
      return PEM_write_PrivateKey(to, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    });
  }

  ~test_identity() { std::filesystem::remove_all(folder_); }
  test_identity(const test_identity&) = delete;

  const tls_options::identity& files() const noexcept { return files_; }

private:
  template <class F>
  static void write(const std::string& file, F what) {
    std::unique_ptr<FILE, decltype(&std::fclose)> to{std::fopen(file.c_str(), "w"), std::fclose};
    must(to && what(to.get()) == 1, "writing a file");
  }

  std::filesystem::path folder_;
  tls_options::identity files_;
};

/// A client without I/O, which trusts everybody.
class tls_peer {
public:
  explicit tls_peer(int version = TLS1_3_VERSION)
      : context_{SSL_CTX_new(TLS_client_method()), SSL_CTX_free}, ssl_{nullptr, SSL_free} {
    SSL_CTX_set_min_proto_version(context_.get(), version);
    SSL_CTX_set_max_proto_version(context_.get(), version);
    ssl_.reset(SSL_new(context_.get()));
    in_ = BIO_new(BIO_s_mem());
    out_ = BIO_new(BIO_s_mem());
    SSL_set_bio(ssl_.get(), in_, out_);
    SSL_set_connect_state(ssl_.get());
    SSL_do_handshake(ssl_.get());
  }

  /// Ciphertext for the other end.
  std::string take() {
    std::string bytes(BIO_ctrl_pending(out_), '\0');
    if (!bytes.empty())
      must(BIO_read(out_, bytes.data(), static_cast<int>(bytes.size())) > 0, "BIO_read");
    return bytes;
  }

  /// Ciphertext from the other end; returns what it was in clear.
  std::string give(std::span<const std::byte> bytes) {
    if (!bytes.empty())
      BIO_write(in_, bytes.data(), static_cast<int>(bytes.size()));
    if (SSL_in_init(ssl_.get()) != 0 && SSL_do_handshake(ssl_.get()) != 1)
      return {};
    std::string plain;
    std::array<char, 16384> piece;
    for (int n = 0; (n = SSL_read(ssl_.get(), piece.data(), piece.size())) > 0;)
      plain.append(piece.data(), static_cast<size_t>(n));
    return plain;
  }

  void write(std::string_view plain) {
    must(SSL_write(ssl_.get(), plain.data(), static_cast<int>(plain.size())) > 0, "SSL_write");
  }

  /// New keys, and the other end shall have new ones, too (RFC 8446, section 4.6.3).
  void update_keys() {
    must(SSL_key_update(ssl_.get(), SSL_KEY_UPDATE_REQUESTED) == 1, "SSL_key_update");
    SSL_do_handshake(ssl_.get());
  }

  void close() { SSL_shutdown(ssl_.get()); }

  /// Whether the other end said that it is done.
  bool closed() const { return (SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) != 0; }

private:
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl_;
  BIO* in_ = nullptr;
  BIO* out_ = nullptr;
};

} // namespace tandem::net
