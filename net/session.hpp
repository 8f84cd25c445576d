/// A WebSocket on a network worker.
#pragma once

#include "net/decoder.hpp"
#include "net/link.hpp"
#include "net/network_worker.hpp"
#include "net/outbox.hpp"
#include "net/throttle.hpp"
#include "net/transport.hpp"
#include "net/turnstile.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

namespace tandem::net {

struct session_limits {
  decoder_limits decoder{};
  /// How long the other end may take for its part of the closing handshake.
  std::chrono::milliseconds close_timeout{5000};
  /// How long the other end may stand still with bytes that wait to leave.
  std::chrono::milliseconds stall_timeout{30000};
  /// How fast it may send.
  throttle_limits rates{};
};

/// The server's side of one WebSocket after its handshake: reads and decodes, queues and writes,
/// closes. It outlives its owner for as long as flushing and the closing handshake take.
class session final : public link, private socket_handler {
public:
  /// `early` are bytes that came right behind the handshake. `limits` outlive the session. It keeps
  /// `place` for as long as it has its socket. Any thread.
  static link_ptr make(network_worker& worker, transport socket, std::string early,
                       const session_limits& limits, decoder_extensions agreed = {},
                       turnstile::place place = {});

  home& where() noexcept override { return worker_; }
  void start(link_events& events) override;
  send_status send(chunk frames) noexcept override;
  void flush_soon() override;
  void keep_kernel_queue_short() noexcept override { transport_.keep_kernel_queue_short(); }
  void allow(int64_t cost) override;
  void allow_more(uint64_t cost) override;
  void ping() override;
  uint32_t life() const noexcept override { return life_; }
  bool paused() const noexcept override {
    return state_ == state::open && interest_ != 0 && (!reading() || write_blocked_);
  }
  bool inside_message() const noexcept override { return decoder_.inside_message(); }
  void close(const ending& how) noexcept override;
  link_stats stats() const noexcept override;
  void release() noexcept override;

private:
  using clock = std::chrono::steady_clock;

  enum class state : uint8_t {
    /// Frames go both ways.
    open,
    /// Our close frame is queued or sent, the other end's is to come.
    closing,
    /// Both close frames are there, or the other end is at fault: what is queued leaves, then the
    /// connection ends.
    finishing,
    /// Nothing more is sent; the other end's FIN is awaited, since closing on unread bytes would
    /// reset the connection
    /// and lose what is on its way.
    shut,
    done,
  };

  session(network_worker& worker, transport socket, std::string early, const session_limits& limits,
          decoder_extensions agreed, turnstile::place place);

  int fd() const noexcept override { return transport_.fd(); }
  void on_ready(uint32_t events) override;
  void flush() override;
  bool check_deadline(clock::time_point now) override;

  void read();
  void consume(std::span<std::byte> in);
  void break_off(frame_decoder::event what, chunk_builder& out);
  void deliver(chunk frames);
  void on_close_frame();
  void on_violation();
  void on_eof(std::string_view text = {});
  void on_pong(std::span<const std::byte> payload);
  void slow_down(size_t bytes, uint64_t messages);
  void queue_control(chunk frames);
  void queue_close(const ending& how);
  void write_failed();
  void block();
  bool unsent() const noexcept { return !outbox_.empty() || transport_.held_back() > 0; }
  void note_progress(clock::time_point now);
  void stall();
  void end(const ending& how);
  void enter(state next);
  void finish_if_flushed();
  void finish();
  bool reading() const noexcept;
  int64_t room() const noexcept;
  void update_interest(bool may_stop = false);

  network_worker& worker_;
  const session_limits& limits_;
  link_events* events_ = nullptr;
  transport transport_;
  frame_decoder decoder_;
  outbox outbox_;
  std::string early_;
  turnstile::place place_;
  /// Null without rates.
  std::shared_ptr<throttle> throttle_;
  /// Cost that may still be delivered.
  int64_t allowance_ = 0;
  uint64_t bytes_in_ = 0;
  uint64_t bytes_out_ = 0;
  /// When the other end has stood still for too long: with its part of the ending, or with the
  /// bytes that wait for it. Only while watched.
  clock::time_point deadline_;
  clock::time_point ping_sent_;
  std::chrono::microseconds rtt_{0};
  /// What epoll watches; 0 before start.
  uint32_t interest_ = 0;
  uint32_t life_ = 0;
  uint32_t ping_number_ = 0;
  state state_ = state::open;
  bool peer_closed_ = false;
  bool write_blocked_ = false;
  /// It isn't read for a while, since it sends faster than its rates.
  bool throttled_ = false;
  /// The owner wants to hear of the next flush.
  bool asked_for_flush_ = false;
  bool released_ = false;
};

} // namespace tandem::net
