/// One WebSocket connection to the relay, from the connect to the close.
#pragma once

#include "tests/bench/load/channel.hpp"
#include "tests/bench/load/frame_reader.hpp"
#include "tests/bench/load/handshake.hpp"
#include "tests/bench/load/reactor.hpp"
#include "tests/bench/load/url.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace tandem::bench {

class connection;

/// How a connection came to its end.
struct ending {
  enum class kind : uint8_t {
    /// It was never open: no connection, or no upgrade.
    unopened,
    /// The relay closed it. `text` has the close code and reason, or says that there were none.
    closed,
    /// The relay broke RFC 6455.
    violation,
    /// The tool's own doing.
    wanted,
  };

  kind what = kind::wanted;
  std::string text;
};

/// What a connection asks of, and tells, the one that owns it.
class connection_owner {
public:
  virtual ~connection_owner() = default;

  /// The handshake is done.
  virtual void on_open(connection& who) = 0;

  /// Some bytes of a message came.
  virtual void on_piece(connection& who, const frame_event& piece) = 0;

  /// Writes frames to be sent into `room`, and returns the bytes written. `more` is set if there is
  /// more to send.
  virtual size_t produce(connection& who, std::span<std::byte> room, bool& more) = 0;

  /// True if a control frame may follow what was produced so far.
  virtual bool between_frames(const connection& who) const = 0;

  /// The connection is over, and its descriptor closed.
  virtual void on_end(connection& who, const ending& how) = 0;
};

/// The pings that a connection received.
struct ping_stats {
  uint64_t count = 0;
  /// The longest time between two of them.
  clock::duration longest_gap{};
};

/// Lives in a reactor's thread. Answers pings and closes by itself.
class connection {
public:
  connection(reactor& loop, connection_owner& owner) noexcept;
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  struct dial_options {
    const target* where = nullptr;
    std::string id;
    /// Of all the run's connections; see `open_socket`.
    uint64_t ordinal = 0;
    /// SO_RCVBUF in bytes. 0: the kernel's own choice.
    int receive_buffer = 0;
    /// Reads only when told to, by `read_at_most`.
    bool paced = false;
    /// Offers to compress messages, and takes no others.
    bool compressed = false;
  };

  /// Begins to connect, unless `drop` came first. What comes of it, `on_open` or `on_end` tells,
  /// which may be before this returns.
  void dial(const dial_options& options);

  /// Ends the attempt to connect, if it isn't done yet.
  void give_up(std::string why);

  /// Asks for a turn to write, at the end of the reactor's turn.
  void want_write();

  /// Sends a close frame with code 1000, and ends when the relay answers it.
  void close();

  /// Closes the descriptor at once.
  void drop();

  /// Reads up to `n` bytes, if there are any, and returns how many there were. For paced
  /// connections.
  size_t read_at_most(size_t n);

  /// Reads whenever there is something to read, from now on.
  void read_freely();

  bool is_open() const noexcept { return state_ == state::open; }
  /// Open, or being opened.
  bool is_live() const noexcept { return state_ != state::fresh && state_ != state::over; }
  clock::time_point dialed() const noexcept { return dialed_; }
  const ping_stats& pings() const noexcept { return pings_; }

  /// For the reactor: `events` as epoll gave them.
  void handle(uint32_t events);
  /// For the reactor: writes what there is to write, in one call.
  void flush();

private:
  enum class state : uint8_t { fresh, connecting, shaking_hands, open, over };

  void on_connected();
  void take(std::span<const std::byte> bytes);
  void take_handshake(std::span<const std::byte> bytes);
  void take_frames(std::span<const std::byte> bytes);
  void take_control(const frame_event& control);
  void take_close(std::span<const std::byte> payload);
  void count_ping();
  void queue_control(net::opcode op, std::span<const std::byte> payload);
  size_t try_send(std::span<const std::byte> bytes);
  void send(std::span<const std::byte> bytes);
  void send_backlog();
  void update_events();
  void on_eof();
  void fail(const char* what, int error);
  void end(ending::kind what, std::string text);

  reactor& loop_;
  connection_owner& owner_;
  channel channel_;
  state state_ = state::fresh;
  bool paced_ = false;
  bool eager_ = false;
  /// Nothing may be sent any more: a close was, or the relay has hung up.
  bool mute_ = false;
  uint32_t watched_ = 0;
  clock::time_point dialed_;
  std::optional<upgrade_response> handshake_;
  frame_reader reader_;
  /// Pongs and a close, not sent yet.
  std::vector<std::byte> control_;
  /// What the kernel had no room for.
  std::vector<std::byte> backlog_;
  ping_stats pings_;
  clock::time_point last_ping_;
};

} // namespace tandem::bench
