/// A connection: one WebSocket's actor.
#pragma once

#include "actors/connection_actor.hpp"
#include "actors/life_check.hpp"
#include "actors/messages.hpp"
#include "actors/pairing_actor.hpp"
#include "net/link.hpp"
#include "net/pinned.hpp"
#include "net/recoder.hpp"
#include "net/slim_actor.hpp"

#include <caf/stateful_actor.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

namespace tandem {

/// What all connections of a route share.
struct connection_options {
  /// Credit of each direction of a pair, in bytes.
  int64_t window = 256 << 10;
  /// What a connection without a peer may send ahead, in bytes; at most `window`.
  int64_t pending = 64 << 10;
  /// Wait for another peer when one is lost, instead of closing.
  bool waits_for_next_peer = false;
  /// For a pair whose ends don't agree on compression.
  net::recoder_options recode{};
  /// With more than so many bytes in the whole broker, one without a peer may not send ahead; 0 for
  /// no limit.
  uint64_t most_buffered = 0;
  /// The other peer is its pool's next worker.
  bool rematches = false;
  /// A framed worker serves many clients at once, up to as many as it says and this.
  bool pools = false;
  /// It is the one worker of all clients of its key, as many as they are.
  bool shares = false;
  uint32_t max_capacity = 1;
  /// How often peers are pinged, which framed ones are told; 0 for never.
  std::chrono::milliseconds client_heartbeat{0};
  std::chrono::milliseconds worker_heartbeat{0};
  /// How long the last words of a client wait for the credit of a framed worker.
  std::chrono::milliseconds patience{30000};
};

/// Those of a route's clients and of its workers, by their role.
using connection_options_by_role = std::array<connection_options, 2>;

class connection_state : public net::link_events {
public:
  using base = net::pinned<net::slim_actor<connection_actor>>;

  static inline const char* name = "connection";

  explicit connection_state(base* self) : self_{self} {}
  connection_state(const connection_state&) = delete;
  ~connection_state() override;

  /// What it is about; comes before all else.
  void take(net::link_ptr link, peer_info_ptr who,
            std::shared_ptr<const connection_options> options) noexcept;
  void start();

  // -- messages, as the contract has them
  void deliver(const net::chunk& frames);
  void take_credit(uint64_t cost);
  void recode_more();
  void bind(const peer_ref& peer);
  void lose_peer(uint64_t peer, const ending& how);
  void note_position(uint32_t position);
  void end(end_reason reason);
  void ping();
  void check();
  void join();

  // -- the link's events
  void on_chunk(net::chunk frames) override;
  void on_sent(size_t cost) override;
  void on_hangup() override;
  void on_end(const ending& how) override;

private:
  /// Its host joins the heartbeat for it.
  bool is_channel() const noexcept { return who_->host != 0; }
  pairing_actor find_pairing() const;
  void pass_on(net::chunk frames);
  void forward(net::chunk frames);
  void recode();
  void end_recoding();
  void drop(const net::chunk& frames);
  void return_credit();
  void leave_peer();
  void close(const ending& how);
  bool asks_for_peer(const ending& how);
  void finish_leaving();
  bool drains(const ending& how);
  void end_later(ending how);
  void give_up(const ending& how);
  void hold(net::chunk frames);
  caf::error conclude(ending how);

  base* self_;
  net::link_ptr link_;
  std::shared_ptr<const connection_options> options_;
  peer_info_ptr who_;
  connection_actor peer_;
  uint64_t peer_id_ = 0;
  /// Sent ahead by our own side, while there is no peer.
  std::vector<net::chunk> held_;
  /// Makes of our side's messages what the peer takes; null while they pass as they are.
  std::unique_ptr<net::recoder> recoder_;
  /// What was recoded and the peer hasn't returned as credit, in bytes.
  int64_t unsettled_ = 0;
  /// The end that the peer is told once all that was sent before it is recoded.
  std::unique_ptr<const ending> last_;
  /// What left for the kernel and isn't yet returned to the peer, or the next one, as credit, in
  /// bytes.
  uint64_t unreturned_ = 0;
  /// What the link has yet to send, and how much of it stems from former peers, in bytes.
  uint64_t queued_ = 0;
  uint64_t queued_before_ = 0;
  life_check life_;
  /// How its link ended, while it may yet hear of a peer for what it holds.
  std::unique_ptr<const ending> leaving_;
  bool recodes_later_ = false;
  bool over_ = false;
};

class connection final : public caf::stateful_actor<connection_state, connection_state::base> {
public:
  using super = caf::stateful_actor<connection_state, connection_state::base>;

  connection(caf::actor_config& cfg, net::home& where, net::link_ptr link, peer_info who,
             std::shared_ptr<const connection_options> options);

  void initialize() override;

protected:
  bool handle(const caf::type_erased_tuple& content) override;
};

} // namespace tandem
