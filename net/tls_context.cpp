#include "net/tls_context.hpp"

#include <array>
#include <cstring>
#include <ctime>
#include <new>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

namespace tandem::net {

namespace {

/// Of TLS 1.2, what has forward secrecy and authenticated encryption. Where the processor has AES,
/// 128 bits of it are the fastest; a peer that prefers ChaCha20, as phones do, gets it.
constexpr auto tls12_ciphers = "ECDHE+AESGCM:ECDHE+CHACHA20";
constexpr auto tls13_ciphers =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";

/// The longest chain of certificates that a peer may show, in bytes: OpenSSL takes memory for what
/// is announced, and lets it be 100 KB.
constexpr long most_of_client_chain = 32 << 10;

/// The one protocol that is spoken inside, as ALPN has it on the wire (RFC 7301, section 3.1).
constexpr std::array<unsigned char, 9> http_1_1{8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

/// What is wrong with a file that OpenSSL has just refused, as the end of a sentence that begins
/// with its name.
std::string why(const char* expected) {
  const auto first = ERR_peek_error();
  const auto last = ERR_peek_last_error();
  if (ERR_SYSTEM_ERROR(first))
    return std::string{"can't be read: "} + std::strerror(ERR_GET_REASON(first));
  std::string text = std::string{"is no "} + expected;
  // What is said of a file that isn't even PEM means nothing to its owner.
  if (const auto* reason = ERR_reason_error_string(last); ERR_GET_LIB(last) == ERR_LIB_SSL &&
                                                          ERR_GET_REASON(last) != ERR_R_PEM_LIB &&
                                                          reason != nullptr)
    text.append(": ").append(reason);
  return text;
}

/// A key with a pass phrase would ask for it at the terminal.
int no_pass_phrase(char*, int, int, void*) {
  return -1;
}

int choose_protocol(SSL*, const unsigned char** out, unsigned char* size, const unsigned char* in,
                    unsigned in_size, void*) {
  auto* chosen = const_cast<unsigned char*>(*out);
  if (SSL_select_next_proto(&chosen, size, http_1_1.data(), http_1_1.size(), in, in_size) !=
      OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

void set_rules(SSL_CTX* to, const tls_options& options) {
  SSL_CTX_set_min_proto_version(to, options.only_tls13 ? TLS1_3_VERSION : TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(to, tls12_ciphers);
  SSL_CTX_set_ciphersuites(to, tls13_ciphers);
  SSL_CTX_set_options(to, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                              SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  // An idle connection has no buffers.
  SSL_CTX_set_mode(to, SSL_MODE_RELEASE_BUFFERS);
  // What brings no plaintext is counted, one by one.
  SSL_CTX_clear_mode(to, SSL_MODE_AUTO_RETRY);
  // Sessions are resumed by tickets, which the peers keep (RFC 5077; RFC 8446, section 4.6.1).
  SSL_CTX_set_session_cache_mode(to, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(to, 1);
  SSL_CTX_set_max_cert_list(to, most_of_client_chain);
  SSL_CTX_set_alpn_select_cb(to, choose_protocol, nullptr);
  SSL_CTX_set_default_passwd_cb(to, no_pass_phrase);
}

void load(SSL_CTX* to, const tls_options::identity& from) {
  using part = tls_error::part;
  ERR_clear_error();
  if (SSL_CTX_use_certificate_chain_file(to, from.certificate.c_str()) != 1)
    throw tls_error{part::certificate, from.certificate, why("certificate in PEM")};
  if (SSL_CTX_use_PrivateKey_file(to, from.key.c_str(), SSL_FILETYPE_PEM) != 1 &&
      ERR_GET_REASON(ERR_peek_last_error()) != X509_R_KEY_VALUES_MISMATCH)
    throw tls_error{part::key, from.key, why("private key in PEM without a pass phrase")};
  // A key of another kind than the certificate's has been taken without a look at that.
  if (SSL_CTX_check_private_key(to) != 1)
    throw tls_error{part::key, from.key, "isn't the private key of " + from.certificate};
}

void load_client_ca(SSL_CTX* to, const std::string& file) {
  ERR_clear_error();
  auto* names = SSL_load_client_CA_file(file.c_str());
  SSL_CTX_set_client_CA_list(to, names);
  if (names == nullptr || SSL_CTX_load_verify_file(to, file.c_str()) != 1)
    throw tls_error{tls_error::part::client_ca, file, why("list of certificates in PEM")};
}

bool has_name(SSL_CTX* context, const char* name) {
  auto* certificate = SSL_CTX_get0_certificate(context);
  return X509_check_host(certificate, name, std::strlen(name), 0, nullptr) == 1;
}

int verify_mode(certificate_demand wanted) {
  switch (wanted) {
  case certificate_demand::none:
    return SSL_VERIFY_NONE;
  case certificate_demand::optional:
    return SSL_VERIFY_PEER;
  case certificate_demand::required:
    return SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
  }
  return SSL_VERIFY_NONE;
}

} // namespace

void tls_context::free_context::operator()(SSL_CTX* x) const noexcept {
  SSL_CTX_free(x);
}

tls_context::tls_context(const tls_options& options) {
  for (const auto& identity : options.identities) {
    auto* context = contexts_.emplace_back(SSL_CTX_new(TLS_server_method())).get();
    if (context == nullptr)
      throw std::bad_alloc{};
    set_rules(context, options);
    load(context, identity);
    if (!options.client_ca.empty())
      load_client_ca(context, options.client_ca);
    files_.push_back(identity.certificate);
  }
  // Every stream begins with the first one.
  auto* first = contexts_.at(0).get();
  SSL_CTX_set_tlsext_servername_callback(first, choose);
  SSL_CTX_set_tlsext_servername_arg(first, this);
}

tls_context::~tls_context() = default;

/// By the name that the other end asks for, when its first message has come.
int tls_context::choose(SSL* ssl, int*, void* self) {
  const auto* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  if (name == nullptr)
    return SSL_TLSEXT_ERR_NOACK;
  for (const auto& context : static_cast<const tls_context*>(self)->contexts_)
    if (has_name(context.get(), name)) {
      SSL_set_SSL_CTX(ssl, context.get());
      return SSL_TLSEXT_ERR_OK;
    }
  // A peer may trust the first certificate by other means than its name.
  return SSL_TLSEXT_ERR_NOACK;
}

std::unique_ptr<tls_stream> tls_context::accept(certificate_demand wanted) const {
  auto* ssl = SSL_new(contexts_.front().get());
  if (ssl == nullptr)
    throw std::bad_alloc{};
  SSL_set_accept_state(ssl);
  SSL_set_verify(ssl, verify_mode(wanted), nullptr);
  // A session is resumed without a look at certificates: only where no more is demanded than where
  // it began.
  const auto demand = static_cast<unsigned char>(wanted);
  SSL_set_session_id_context(ssl, &demand, sizeof demand);
  return std::make_unique<tls_stream>(ssl);
}

std::vector<tls_context::certificate_info> tls_context::certificates() const {
  std::vector<certificate_info> result;
  for (size_t i = 0; i < contexts_.size(); ++i) {
    const auto* certificate = SSL_CTX_get0_certificate(contexts_[i].get());
    std::tm expires{};
    ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &expires);
    result.push_back({files_[i], subject_of(*certificate),
                      std::chrono::system_clock::from_time_t(::timegm(&expires))});
  }
  return result;
}

} // namespace tandem::net
