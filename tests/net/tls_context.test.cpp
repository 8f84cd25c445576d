#include "net/tls_context.hpp"

#include "tls_peer.hpp"

#include <catch2/catch.hpp>

#include <fstream>

namespace tandem::net {

namespace {

using part = tls_error::part;

/// What is wrong with these options.
std::pair<part, std::string> fault_of(const tls_options& options) {
  try {
    const tls_context context{options};
  } catch (const tls_error& error) {
    return {error.which(), error.what()};
  }
  FAIL("it was accepted");
  return {};
}

} // namespace

TEST_CASE("a file that can't be used is named, with what is wrong", "[tls]") {
  const test_identity good{"good"};
  const test_identity other{"other"};
  const test_identity of_another_kind{"of another kind", true};
  const auto& [certificate, key] = good.files();

  CHECK(fault_of({.identities = {{"/nowhere.pem", key}}}) ==
        std::pair{part::certificate,
                  std::string{"/nowhere.pem can't be read: No such file or directory"}});
  CHECK(fault_of({.identities = {{key, key}}}) ==
        std::pair{part::certificate, key + " is no certificate in PEM"});
  CHECK(fault_of({.identities = {{certificate, "/nowhere.key"}}}) ==
        std::pair{part::key, std::string{"/nowhere.key can't be read: No such file or directory"}});
  CHECK(fault_of({.identities = {{certificate, certificate}}}).second ==
        certificate + " is no private key in PEM without a pass phrase");
  CHECK(fault_of({.identities = {{certificate, other.files().key}}}) ==
        std::pair{part::key, other.files().key + " isn't the private key of " + certificate});
  CHECK(fault_of({.identities = {{certificate, of_another_kind.files().key}}}).second ==
        of_another_kind.files().key + " isn't the private key of " + certificate);
  CHECK(fault_of({.identities = {{of_another_kind.files().certificate, key}}}).first == part::key);
  CHECK(fault_of({.identities = {good.files()}, .client_ca = "/nowhere.pem"}) ==
        std::pair{part::client_ca,
                  std::string{"/nowhere.pem can't be read: No such file or directory"}});
  CHECK(fault_of({.identities = {good.files()}, .client_ca = key}).first == part::client_ca);
}

TEST_CASE("a key with a pass phrase is refused instead of asking for it", "[tls]") {
  const test_identity good{"good"};
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key{EVP_EC_gen("P-256"), EVP_PKEY_free};
  const auto file = good.files().key + ".encrypted";
  std::unique_ptr<FILE, decltype(&std::fclose)> to{std::fopen(file.c_str(), "w"), std::fclose};
  unsigned char phrase[] = "secret";
  PEM_write_PrivateKey(to.get(), key.get(), EVP_aes_128_cbc(), phrase, 6, nullptr, nullptr);
  to.reset();
  auto [which, text] = fault_of({.identities = {{good.files().certificate, file}}});
  CHECK(which == part::key);
  CHECK(text.find("is no private key in PEM without a pass phrase") != std::string::npos);
}

TEST_CASE("a context tells which certificates it shows", "[tls]") {
  const test_identity one{"one"};
  const test_identity two{"two"};
  const tls_context context{{.identities = {one.files(), two.files()}}};
  const auto shown = context.certificates();
  REQUIRE(shown.size() == 2);
  CHECK(shown[0].file == one.files().certificate);
  CHECK(shown[0].subject == "CN=one");
  CHECK(shown[1].subject == "CN=two");
  // Good for an hour, from when it was made.
  const auto left = shown[1].expires - std::chrono::system_clock::now();
  CHECK(left > std::chrono::minutes{30});
  CHECK(left <= std::chrono::hours{1});
}

} // namespace tandem::net
