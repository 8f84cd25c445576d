/// Many links over the one connection of a framed peer.
#pragma once

#include "actors/messages.hpp"
#include "net/channel.hpp"
#include "net/channel_table.hpp"
#include "net/envelope_reader.hpp"
#include "net/fifo.hpp"
#include "net/link.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace tandem::net {

/// What the owner of a multiplexer hears of: as link_events, from inside no call of the owner's but
/// start(), and nothing after on_end.
class multiplexer_events {
public:
  virtual ~multiplexer_events() = default;

  /// The peer takes so many channels at once from now on.
  virtual void on_capacity(uint32_t slots) = 0;

  /// The peer wants no new channels.
  virtual void on_drain() = 0;

  /// The connection ended. The channels' owners hear of it once the multiplexer goes.
  virtual void on_end(const ending& how) = 0;
};

struct multiplexer_options {
  /// The largest message, in bytes of its payload.
  uint64_t max_message = UINT64_MAX;
  /// What may be sent on each channel at first, in bytes; as much as TCP takes if it isn't set.
  std::optional<uint32_t> credit{};
  /// Channels that the peer takes at once, and how many it may say that it takes.
  uint32_t slots = 1;
  uint32_t most_slots = UINT32_MAX;
  /// How often the peer is pinged; 0 for never.
  std::chrono::milliseconds heartbeat{0};
  /// How long a channel that was closed waits for the peer's credit.
  std::chrono::milliseconds patience{30000};
};

/// Carries channels over the link of a framed peer. What comes in is taken apart, one chunk for
/// each channel. What goes out leaves in fair turns (deficit round robin), a little at a time, so
/// that it waits in the channels and not in the connection. For its home's thread alone.
class multiplexer final : private link_events {
public:
  multiplexer(link_ptr session, peer_info_ptr who, const multiplexer_options& options,
              multiplexer_events& events);
  ~multiplexer() override;
  multiplexer(const multiplexer&) = delete;
  multiplexer& operator=(const multiplexer&) = delete;

  /// A framed connection that has one peer at a time: the link of its one channel, number 1, which
  /// ends with the connection.
  static link_ptr make_single(link_ptr session, peer_info_ptr who,
                              const multiplexer_options& options);

  void start();

  /// A new channel, which the peer learns of when its owner says who is on it.
  link_ptr open();

  /// Closes the connection behind all that is queued. No more events.
  void close(const ending& how);

  /// The connection, for its heartbeat and its counts. Not to be sent to.
  link& connection() noexcept { return *session_; }

  /// Channels that are there, their last messages included.
  size_t channels() const noexcept { return channels_.size(); }

  /// Messages for channels that were gone.
  uint64_t dropped() const noexcept { return dropped_; }

private:
  friend class channel;

  struct single_tag {};
  multiplexer(link_ptr session, peer_info_ptr who, const multiplexer_options& options, single_tag);

  /// What a chunk that the connection was given means for credit: it costs so much, and with it
  /// goes the last of so many chunks of the channels' owners.
  struct sent_chunk {
    size_t cost;
    size_t settled;
  };

  struct settlement {
    uint32_t channel;
    size_t cost;
  };

  // -- the connection's events
  void on_chunk(chunk frames) override;
  void on_sent(size_t cost) override;
  void on_hangup() override;
  void on_end(const ending& how) override { end(how); }
  void on_flush() override;

  // -- coming in
  void take_data(const envelope_reader::piece& piece);
  void deliver();
  void take_control(const envelope& what);
  void take_close(channel& at, const envelope& what);
  void grant(channel& to);
  void note_room(channel& x);
  void update_reading();
  void refuse(std::string_view text);
  void fail(const ending& how);

  // -- going out
  void note_waiting(channel& x);
  void schedule();
  bool has_work() const noexcept;
  void write_until(size_t most_queued);
  void write_urgent(chunk_builder& out);
  void append_open(channel& x, const peer_info& peer, chunk_builder& out);
  void take_turn(chunk_builder& out);
  void write_gathered(channel& x, chunk_builder& out);
  void give(chunk frames);
  void settle_with_next(uint32_t channel, size_t cost);
  bool may_open() const noexcept;
  size_t room_for_chunk() const noexcept;
  void write_last_words(const ending& how);

  // -- channels
  channel* add();
  void close_channel(channel& x);
  void close_single(channel& x);
  void wait_for_credit(const channel& x);
  void forget(channel& x) noexcept;

  framing frames() const noexcept { return reader_.frames(); }
  void end(const ending& how);

  /// A chunk with so many bytes has enough of them.
  static constexpr size_t full_chunk = size_t{64} << 10;

  link_ptr session_;
  peer_info_ptr who_;
  multiplexer_options options_;
  /// Null for a single channel's.
  multiplexer_events* events_ = nullptr;
  bool single_ = false;
  bool ended_ = false;
  /// What the channels' owners are to hear.
  ending how_ = ending::by(end_reason::broker_fault);
  bool hung_up_ = false;
  bool asked_for_flush_ = false;
  envelope_reader reader_;

  std::vector<channel*> channels_;
  channel_table open_;
  /// Bound, and to be told to the peer once it has a slot.
  fifo<channel*> opening_;
  /// With something to send, the next one first.
  fifo<channel*> ring_;
  /// With credit to be told.
  std::vector<channel*> granting_;
  /// Closed by their owners, and not yet by the last message.
  size_t closing_ = 0;
  size_t overran_ = 0;
  uint64_t dropped_ = 0;

  /// Bytes that wait in channels.
  size_t waiting_ = 0;
  /// Cost that the connection was given and the kernel hasn't taken.
  size_t queued_ = 0;
  fifo<sent_chunk> sent_;
  fifo<settlement> settlements_;
  /// Of those, what belongs to the chunk that is being filled.
  size_t unassigned_ = 0;
  /// Gone as soon as this is.
  std::shared_ptr<multiplexer*> self_;
};

} // namespace tandem::net
