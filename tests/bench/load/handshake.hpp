/// The opening handshake of RFC 6455, section 4: the client's part, and the hash that both parts
/// need.
#pragma once

#include "tests/bench/load/url.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace tandem::bench {

/// The value of Sec-WebSocket-Accept that answers `key`.
std::string accept_key(std::string_view key);

/// A key as section 4.1 wants it: 16 bytes in base64, made from `random`.
std::string make_key(uint64_t random);

/// A client's request for an upgrade, with or without an offer to compress messages (RFC 7692).
std::string upgrade_request(const target& where, std::string_view id, std::string_view key,
                            bool compressed = false);

/// Reads the server's answer as it comes.
class upgrade_response {
public:
  enum class state : uint8_t {
    /// The answer isn't whole yet.
    incomplete,
    /// The server agreed. What it sent beyond its head is in `rest`.
    accepted,
    /// The server declined, or agreed to something else. `error` says why.
    refused,
  };

  /// `key` is the one that the request had. With `compressed` the server has to accept the offer.
  explicit upgrade_response(std::string_view key, bool compressed = false);

  /// Takes the next bytes from the server.
  state feed(std::string_view bytes);

  /// The server has closed: what came so far is all there is.
  state finish();

  /// What followed the head of an accepted answer: the first frames.
  std::string_view rest() const noexcept;

  /// Why the upgrade failed: the HTTP status and body of a refusal.
  const std::string& error() const noexcept { return error_; }

private:
  state judge(bool at_end);
  state refuse(std::string text);
  /// The value of a header, or an empty view.
  std::string_view header(std::string_view name) const;

  std::string accept_;
  bool compressed_;
  std::string text_;
  size_t head_size_ = 0;
  std::string error_;
};

} // namespace tandem::bench
