/// WebSocket addresses with a place for the pair's id: `ws://127.0.0.1:8080/client/{id}`.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <variant>

namespace tandem::bench {

/// Where the connections of one role go.
struct target {
  sockaddr_storage address{};
  socklen_t address_size = 0;
  bool tls = false;
  /// The value of the Host header: host and port as the URL has them.
  std::string host;
  /// Path and query, with `{id}` still in it.
  std::string path;

  /// Path and query of the pair `id`.
  std::string path_of(std::string_view id) const;
};

/// What is wrong with an argument, for its user to read.
struct bad_input {
  std::string text;
};

/// Reads `ws://host[:port]/path` or `wss://...`. The host is an IPv4 address, an IPv6 address in
/// brackets, or `localhost` (127.0.0.1): a benchmark must not measure a resolver.
std::variant<target, bad_input> parse_url(std::string_view url);

/// A non-blocking TCP socket on its way to `where`, or -1 with `errno` set. `receive_buffer` in
/// bytes (0: the kernel's own choice). `ordinal` numbers the connections of a run: from the
/// 20,000th on, those to an IPv4 loopback address leave from further loopback addresses, since one
/// address has only some 28,000 ports.
int open_socket(const target& where, uint64_t ordinal, int receive_buffer);

} // namespace tandem::bench
