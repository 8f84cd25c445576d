/// All that an actor sees of a socket.
#pragma once

#include "actors/error.hpp"
#include "net/chunk.hpp"
#include "net/home.hpp"

#include <chrono>
#include <cstdint>
#include <memory>

namespace tandem {
struct peer_info;
} // namespace tandem

namespace tandem::net {

/// What a link tells its owner: all of it on the link's home, from inside no call of the owner's
/// but start(), and nothing after on_end.
class link_events {
public:
  virtual ~link_events() = default;

  /// Whole frames arrived, without masks and headed as a server sends them. Their cost is taken off
  /// the allowance.
  virtual void on_chunk(chunk frames) = 0;

  /// The kernel took chunks that cost this much, in bytes.
  virtual void on_sent(size_t cost) = 0;

  /// The other end hung up while nothing is read for want of allowance. What it sent before may
  /// still be read.
  virtual void on_hangup() = 0;

  /// The other end closed, vanished, or broke the protocol. The link does what is left of the
  /// closing handshake by itself.
  virtual void on_end(const ending& how) = 0;

  /// What is queued is about to leave, and what is sent now leaves with it. Only after
  /// link::flush_soon.
  virtual void on_flush() {}
};

/// Whether a link took what it was given to send.
enum class send_status : uint8_t {
  queued,
  /// The connection is ending: nothing more will be sent.
  ended,
};

/// Counts of one link, from its start.
struct link_stats {
  uint64_t messages_in = 0;
  uint64_t bytes_in = 0;
  uint64_t bytes_out = 0;
  /// Of the last ping that was answered; zero before.
  std::chrono::microseconds rtt{0};
};

/// One WebSocket of the server's side. Every member is for its home's thread alone, but for
/// where(), and release() before start().
class link {
public:
  virtual ~link() = default;

  virtual home& where() noexcept = 0;

  /// Begins to read and to call `events`, which outlives the link or gives it up before.
  virtual void start(link_events& events) = 0;

  /// Queues whole frames; they leave in one gathered write with the rest of this turn's. Takes any
  /// amount: its owner bounds it by credit.
  [[nodiscard]] virtual send_status send(chunk frames) noexcept = 0;

  /// Has on_flush called at the end of the turn, or as soon as the kernel has room again.
  virtual void flush_soon() = 0;

  /// Has the kernel take little more than what is on its way, so that what is sent next isn't far
  /// behind.
  virtual void keep_kernel_queue_short() noexcept {}

  /// Sets how much cost, in bytes, on_chunk may deliver from now on. At or below zero the socket
  /// isn't read, so TCP slows the sender.
  virtual void allow(int64_t cost) = 0;

  /// Adds to the allowance.
  virtual void allow_more(uint64_t cost) = 0;

  /// Queues a ping ahead of all data.
  virtual void ping() = 0;

  /// Changes whenever the other end shows life: bytes arrived from it, or it made room for bytes
  /// that waited.
  virtual uint32_t life() const noexcept = 0;

  /// True while an answer to a ping can't be hoped for: the socket isn't read for want of
  /// allowance, or the ping itself waits behind bytes that don't leave, which is for the stall
  /// timeout to judge.
  virtual bool paused() const noexcept = 0;

  /// True if the frames delivered so far end inside a message.
  virtual bool inside_message() const noexcept = 0;

  /// Sends a close frame after all that is queued and ends. No more events.
  virtual void close(const ending& how) noexcept = 0;

  virtual link_stats stats() const noexcept = 0;

  // -- what only framed peers are told: they know what became of their peer, others don't

  /// From now on this is its peer, and what is sent next comes from there.
  virtual void tell_bound(const std::shared_ptr<const peer_info>&) {}

  /// It waits for a worker, as the one at this place, from 1.
  virtual void tell_waiting(uint32_t) {}

  /// It has no peer any more, and stays for another one: its pool's next worker if it is
  /// `rematching`.
  virtual void tell_peer_lost(bool /*rematching*/) {}

  /// The owner is gone: the link finishes by itself, with a broker fault if close wasn't called,
  /// and frees itself.
  virtual void release() noexcept = 0;
};

struct link_release {
  void operator()(link* x) const noexcept { x->release(); }
};

/// Owns a link; giving it up leaves it to flush and to close by itself.
using link_ptr = std::unique_ptr<link, link_release>;

} // namespace tandem::net
