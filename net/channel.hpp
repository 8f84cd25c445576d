/// One of the many links that a framed peer's connection carries.
#pragma once

#include "actors/messages.hpp"
#include "net/chunk.hpp"
#include "net/fifo.hpp"
#include "net/frame.hpp"
#include "net/link.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace tandem::net {

class multiplexer;

/// A channel, as a link of its owner's: what is sent waits here until its multiplexer has it write.
/// For its home's thread alone. It frees itself once its owner gave it up and its last message is
/// written.
class channel final : public link {
public:
  home& where() noexcept override { return home_; }
  void start(link_events& events) override;
  send_status send(chunk frames) noexcept override;
  void flush_soon() override {}
  void allow(int64_t cost) override;
  void allow_more(uint64_t cost) override;
  void ping() override;
  uint32_t life() const noexcept override;
  bool paused() const noexcept override;
  bool inside_message() const noexcept override { return inside_; }
  void close(const ending& how) noexcept override;
  link_stats stats() const noexcept override;
  void release() noexcept override;
  void tell_bound(const peer_info_ptr& peer) override;
  void tell_waiting(uint32_t position) override;
  void tell_peer_lost(bool rematching) override;

private:
  friend class multiplexer;

  explicit channel(multiplexer& hub) noexcept;

  // -- what it has for the peer
  bool waiting() const noexcept { return !queue_.empty(); }
  bool may_write() const noexcept;
  void add_credit(uint32_t bytes) noexcept;
  void write(chunk_builder& out);
  void write_frame(chunk_builder& out);
  bool gather(const frame_head& head, std::span<const std::byte> payload);
  void queue_own(chunk_builder& message);
  void tell(std::string_view event);
  void pop();
  void drop_queue() noexcept;
  void spend(size_t bytes) noexcept;

  // -- what the peer has for its owner
  int64_t grantable() const noexcept { return allowance_ - granted_; }
  uint32_t take_grant() noexcept;
  void end(const ending& how);

  /// Null once the peer knows, or never will, that it is over.
  multiplexer* hub_;
  home& home_;
  link_events* events_ = nullptr;
  /// On the wire; 0 before the peer is told of it.
  uint32_t number_ = 0;
  /// Where the multiplexer keeps it.
  size_t index_ = 0;
  /// Whom it is bound to, until the peer is told.
  peer_info_ptr to_tell_;
  /// The peer knows of it, and not of its end.
  bool open_ = false;
  /// Its owner closed it, and the peer is to be told.
  bool closing_ = false;
  /// Of a single one: the peer was told of a peer, and not of its loss.
  bool bound_ = false;
  bool in_ring_ = false;
  bool in_granting_ = false;
  bool overran_ = false;
  bool inside_ = false;
  bool released_ = false;

  /// What its owner sent, and how many bytes of the first chunk are used up. Something was written
  /// since that became the first if `wrote_`.
  struct queued {
    chunk frames;
    /// A message of the broker's own, to go out as it is.
    bool own;
  };
  fifo<queued> queue_;
  size_t offset_ = 0;
  bool wrote_ = false;
  /// Of a message in several frames, what was read from the queue.
  chunk_builder gathered_;
  opcode gathered_op_ = opcode::binary;
  bool gathering_ = false;
  /// What the peer may still be sent by its credit, and at this turn, in bytes.
  int64_t credit_;
  int64_t turn_ = 0;
  /// How its owner closed it.
  std::optional<ending> last_;

  /// What its owner allows, and how much of that the peer was told, less what it has sent since.
  int64_t allowance_ = 0;
  int64_t granted_ = 0;
  int64_t step_ = 1;
  /// Granted, but not told yet.
  uint32_t to_grant_ = 0;
  /// While a delivered chunk is taken apart: what this channel gets of it.
  size_t batch_size_ = 0;
  chunk_builder batch_;

  uint64_t messages_in_ = 0;
  uint64_t bytes_in_ = 0;
  uint64_t bytes_out_ = 0;
};

} // namespace tandem::net
