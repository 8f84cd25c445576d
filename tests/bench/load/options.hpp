/// What the user asked for on the command line.
#pragma once

#include "tests/bench/load/payload.hpp"
#include "tests/bench/load/url.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace tandem::bench {

using seconds = std::chrono::duration<double>;

/// A run, as the command line describes it.
struct options {
  std::string client_url = "ws://127.0.0.1:8080/client/{id}";
  std::string worker_url = "ws://127.0.0.1:8080/worker/{id}";

  uint64_t pairs = 50;
  size_mix sizes{128};
  bool text = false;
  /// Bytes per frame; 0: one frame per message.
  uint64_t fragment = 0;
  bool compressed = false;
  bool one_way = false;
  bool verify = false;

  /// Closed loop: unanswered messages per pair; 0: as many as the sockets take. Without a value, 1,
  /// or 0 if `one_way`.
  std::optional<uint64_t> in_flight;
  /// Open loop: messages a second, over all pairs.
  std::optional<double> rate;
  bool poisson = false;

  std::optional<seconds> duration;
  seconds warm_up{0};
  /// Over all pairs; 0: no bound but the time.
  uint64_t messages = 0;
  uint64_t total_bytes = 0;

  /// Connections to hold open; 0: a run of messages.
  uint64_t idle = 0;
  /// Rounds of connecting, exchanging a message, closing; 0: a run of messages.
  uint64_t connect_rounds = 0;

  /// Bytes a second per worker; 0: as fast as can be.
  uint64_t worker_read_rate = 0;

  bool client_first = false;
  uint64_t connect_concurrency = 64;
  seconds connect_timeout{10};
  seconds stall_timeout{10};
  seconds drain_timeout{30};

  int pid = 0;
  uint64_t threads = 1;
  bool json = false;
  bool help = false;

  /// Unanswered messages per pair in a closed loop; 0: no bound.
  uint64_t window() const noexcept { return in_flight.value_or(one_way ? 0 : 1); }

  /// The longest that messages are sent, or idle connections held.
  seconds time_limit() const noexcept;

  /// Pairs that are open at a time.
  uint64_t open_pairs() const noexcept { return idle > 0 ? idle / 2 : pairs; }
};

/// Reads the arguments (without the program's name): `--name value` or `--name=value`.
std::variant<options, bad_input> parse_options(std::span<const std::string_view> arguments);

/// The text of `--help`.
std::string help_text();

} // namespace tandem::bench
