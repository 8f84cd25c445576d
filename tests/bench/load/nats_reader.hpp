/// Reads what a NATS server says to a client that publishes and subscribes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tandem::bench {

/// Turns bytes into events, whatever the pieces in which they come. Keeps no payload.
class nats_reader {
public:
  enum class event : uint8_t {
    /// Nothing until more bytes come.
    none,
    /// A message, up to the end of its payload.
    message,
    ping,
    pong,
    error,
  };

  /// Takes one event's bytes off the front of `in`. To be called until it says `none`.
  event next(std::string_view& in);

  /// The payload of the latest message, in bytes.
  uint64_t size() const noexcept { return size_; }

  /// The server's words for the latest error.
  const std::string& error() const noexcept { return error_; }

private:
  std::optional<event> judge_line();

  /// What has come of a line whose end has yet to come.
  std::string line_;
  std::string error_;
  uint64_t size_ = 0;
  /// What has yet to come of a payload and the line's end behind it.
  uint64_t left_ = 0;
};

} // namespace tandem::bench
