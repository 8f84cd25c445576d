#include "actors/connection.hpp"

#include "actors/directory.hpp"
#include "actors/log.hpp"
#include "net/recycled_message.hpp"

#include <caf/send.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace tandem {

namespace {

/// Credit returns in steps of a window's quarter: a message about credit for each of many chunks
/// would cost more than the chunks.
constexpr int64_t steps_per_window = 4;

/// Pieces that are recoded in one go. Others have their turn before the next ones.
constexpr int recoded_at_once = 4;

/// What one side's ending means for the other: a close in good order travels, anything else is a
/// loss.
ending ending_for_peer(const ending& how) {
  if (how.reason == end_reason::closed_by_peer || how.reason == end_reason::peer_closed)
    return {end_reason::peer_closed, how.code, how.text};
  if (how.reason == end_reason::shutting_down)
    return how;
  return ending::by(end_reason::peer_lost, "the peer was lost: " + to_string(how.reason));
}

} // namespace

connection_state::~connection_state() {
  if (!link_ || is_channel())
    return;
  if (auto heartbeat = directory::find_heartbeat(self_->system(), link_->where().index()))
    caf::anon_send(heartbeat, atom::leave::value, who_->id);
}

void connection_state::take(net::link_ptr link, peer_info_ptr who,
                            std::shared_ptr<const connection_options> options) noexcept {
  link_ = std::move(link);
  who_ = std::move(who);
  options_ = std::move(options);
}

void connection_state::start() {
  // Before the link, which may end while it starts: the pairing has to know whom `leave` is about.
  join();
  link_->allow(options_->pending);
  link_->start(*this);
  spdlog::debug("connected id={} role={} key={} remote={} subprotocol={} subject={} "
                "compression={}",
                who_->id, to_string(who_->side), log_value(who_->key), who_->remote,
                log_value(who_->subprotocol), log_value(who_->subject),
                net::to_string(who_->deflate));
}

/// Makes itself known to those who care for all connections.
void connection_state::join() {
  // A pairing that was started anew knows nothing of its leaving.
  if (leaving_)
    return finish_leaving();
  // One that is on its way out, and has nobody any more, isn't to be given anybody.
  if (over_ && !peer_)
    return;
  auto self = caf::actor_cast<connection_actor>(self_);
  auto heartbeat = directory::find_heartbeat(self_->system(), link_->where().index());
  if (heartbeat && !is_channel())
    self_->send(heartbeat, atom::join::value, who_->id, who_->side, watched_actor{self});
  if (auto pairing = find_pairing())
    self_->send(pairing, atom::join::value,
                member{who_, self, peer_id_, static_cast<int32_t>(link_->where().index())});
  else
    self_->send(self, atom::end::value, end_reason::shutting_down);
}

/// The shard that knows its key; null while there is none.
pairing_actor connection_state::find_pairing() const {
  return directory::find_pairing(self_->system(), who_->route, who_->key);
}

// -- forwarding ---------------------------------------------------------------

void connection_state::on_chunk(net::chunk frames) {
  if (!peer_)
    return hold(std::move(frames));
  pass_on(std::move(frames));
  recode();
}

/// Keeps what is sent ahead of the peer.
void connection_state::hold(net::chunk frames) {
  held_.push_back(std::move(frames));
  if (options_->most_buffered == 0 || net::buffered_bytes() <= options_->most_buffered)
    return;
  held_.clear();
  give_up(ending::by(end_reason::overloaded));
}

void connection_state::pass_on(net::chunk frames) {
  if (recoder_)
    recoder_->push(std::move(frames));
  else
    forward(std::move(frames));
}

void connection_state::forward(net::chunk frames) {
  net::send_recycled(nullptr, peer_, self_->context(), atom::forward{}, std::move(frames));
}

/// Forwards what comes of our side's messages, as far as the peer's half of the window goes. The
/// other half is for what is still to be recoded, which the link's allowance sees to.
void connection_state::recode() {
  if (!recoder_ || recodes_later_ || (over_ && !last_))
    return;
  const auto held = recoder_->held();
  for (int pieces = 0; !recoder_->at_rest() && unsettled_ < options_->window / 2; ++pieces) {
    if (pieces == recoded_at_once) {
      recodes_later_ = true;
      self_->send(self_, atom::recode::value);
      break;
    }
    auto frames = recoder_->next();
    unsettled_ += static_cast<int64_t>(frames.cost());
    if (!frames.empty())
      forward(std::move(frames));
  }
  if (over_ || recoder_->fault())
    return end_recoding();
  if (auto freed = held - recoder_->held(); freed > 0) {
    life_.note_pause(*link_);
    link_->allow_more(freed);
  }
}

void connection_state::recode_more() {
  recodes_later_ = false;
  recode();
}

/// Ends the connection if its messages are at fault, or if its end waits for them and they are all
/// forwarded.
void connection_state::end_recoding() {
  if (const auto& fault = recoder_->fault()) {
    link_->close(*fault);
    end_later(*fault);
  } else if (recoder_->at_rest()) {
    end_later(*last_);
  }
}

void connection_state::deliver(const net::chunk& frames) {
  if (over_)
    return drop(frames);
  queued_ += frames.cost();
  // A link that is ending takes no more, and then this connection's own end is on its way to the
  // peer.
  if (link_->send(frames) == net::send_status::ended)
    spdlog::debug("dropped id={} bytes={}", who_->id, frames.bytes().size());
}

/// Nothing is sent any more, but the peer goes on as long as our own messages are under way to it.
void connection_state::drop(const net::chunk& frames) {
  if (last_)
    self_->send(peer_, atom::credit::value, uint64_t{frames.cost()});
}

void connection_state::on_sent(size_t cost) {
  queued_ -= std::min<uint64_t>(queued_, cost);
  auto before = std::min<uint64_t>(queued_before_, cost);
  queued_before_ -= before;
  unreturned_ += cost - before;
  return_credit();
}

void connection_state::return_credit() {
  if (peer_ && static_cast<int64_t>(unreturned_) >= options_->window / steps_per_window)
    net::send_recycled(caf::strong_actor_ptr{self_->ctrl()}, peer_, self_->context(),
                       atom::credit{}, std::exchange(unreturned_, 0));
}

void connection_state::take_credit(uint64_t cost) {
  if (self_->current_sender() != peer_)
    return;
  if (recoder_) {
    unsettled_ -= static_cast<int64_t>(cost);
    return recode();
  }
  life_.note_pause(*link_);
  link_->allow_more(cost);
}

// -- the pair -----------------------------------------------------------------

void connection_state::bind(const peer_ref& peer) {
  if (over_)
    return;
  if (peer_)
    leave_peer();
  peer_ = peer.handle;
  peer_id_ = peer.who->id;
  const auto& takes = peer.who->deflate;
  if (!net::passes_through(who_->deflate, takes))
    recoder_ = std::make_unique<net::recoder>(who_->deflate, takes, options_->recode);
  int64_t ahead = 0;
  for (auto& frames : std::exchange(held_, {})) {
    ahead += static_cast<int64_t>(frames.cost());
    pass_on(std::move(frames));
  }
  life_.note_pause(*link_);
  link_->allow((recoder_ ? options_->window / 2 : options_->window) - ahead);
  link_->tell_bound(peer.who);
  recode();
  // The peer may have heard of the pair first, so that its chunks came, and left, before this.
  return_credit();
  if (leaving_)
    finish_leaving();
}

void connection_state::lose_peer(uint64_t peer, const ending& how) {
  if (peer != peer_id_)
    return;
  leave_peer();
  if (over_) {
    // Nobody is left for what this connection's end waited for.
    if (last_)
      end_later(*last_);
    return;
  }
  // Half a message, whichever side it came from, would make the first one of the next pair a
  // protocol error.
  if (!options_->waits_for_next_peer || how.cut || link_->inside_message())
    return close(ending_for_peer(how));
  // Each peer may leave up to a window behind, and they could come and go for ever.
  if (static_cast<int64_t>(queued_) > options_->window)
    return close(ending::by(end_reason::stalled, "too slow: several peers' messages still wait"));
  life_.note_pause(*link_);
  link_->allow(options_->pending);
  link_->tell_peer_lost(options_->rematches);
}

/// Of the queue for a worker.
void connection_state::note_position(uint32_t position) {
  if (!over_)
    link_->tell_waiting(position);
}

/// What was delivered so far returns to nobody as credit; what comes from now on is the next
/// peer's.
void connection_state::leave_peer() {
  peer_ = nullptr;
  peer_id_ = 0;
  recoder_ = nullptr;
  unsettled_ = 0;
  unreturned_ = 0;
  queued_before_ = queued_;
}

// -- the end ------------------------------------------------------------------

void connection_state::end(end_reason reason) {
  if (leaving_)
    finish_leaving();
  else if (!over_)
    close(ending::by(reason));
}

/// From inside the behaviour: closes the socket in good order and ends the actor.
void connection_state::close(const ending& how) {
  link_->close(how);
  if (!drains(how))
    self_->quit(conclude(how));
}

void connection_state::on_end(const ending& how) {
  if (!asks_for_peer(how) && !drains(how))
    end_later(how);
}

/// True if the pairing has the last word: it may have named the peer already, and what was sent
/// ahead is for that one.
bool connection_state::asks_for_peer(const ending& how) {
  auto pairing = find_pairing();
  if (!pairing || held_.empty())
    return false;
  leaving_ = std::make_unique<const ending>(how);
  self_->send(pairing, atom::leave::value, who_->id);
  return true;
}

/// The pairing has had its word.
void connection_state::finish_leaving() {
  auto how = std::move(leaving_);
  if (!over_ && !drains(*how))
    self_->quit(conclude(*how));
}

/// True if messages that came before this end are still to be recoded: the peer is told of it
/// behind them, and until then this connection lives on without its socket.
bool connection_state::drains(const ending& how) {
  over_ = true;
  if (!recoder_ || recoder_->at_rest())
    return false;
  last_ = std::make_unique<const ending>(how);
  // The link tells no more of what it sends, and an end of the peer's may wait for this, too.
  self_->send(peer_, atom::credit::value, unreturned_ + queued_ - queued_before_);
  return true;
}

/// quit() works only from inside the behaviour.
void connection_state::end_later(ending how) {
  self_->send_exit(caf::strong_actor_ptr{self_->ctrl()}, conclude(std::move(how)));
}

void connection_state::on_hangup() {
  // With a peer, what was sent before is still to be read, once there is credit.
  if (!peer_)
    give_up(ending::by(end_reason::vanished));
}

/// As close, from outside the behaviour.
void connection_state::give_up(const ending& how) {
  link_->close(how);
  on_end(how);
}

/// Tells the peer and the log. Returns the exit reason.
caf::error connection_state::conclude(ending how) {
  over_ = true;
  last_.reset();
  how.cut = peer_ && (recoder_ ? recoder_->inside_message() : link_->inside_message());
  if (peer_)
    self_->send(peer_, atom::peer_end::value, who_->id, how);
  auto stats = link_->stats();
  spdlog::info("disconnected id={} role={} key={} remote={} subprotocol={} subject={} reason={} "
               "code={} messages_in={} bytes_in={} bytes_out={} rtt_us={}{}",
               who_->id, to_string(who_->side), log_value(who_->key), who_->remote,
               log_value(who_->subprotocol), log_value(who_->subject), to_string(how.reason),
               how.code, stats.messages_in, stats.bytes_in, stats.bytes_out, stats.rtt.count(),
               is_channel() ? " host=" + std::to_string(who_->host) : std::string{});
  return make_error(how);
}

// -- the heartbeat ------------------------------------------------------------

void connection_state::ping() {
  if (!over_)
    life_.ping(*link_);
}

void connection_state::check() {
  if (!over_ && life_.missed(*link_))
    end(end_reason::heartbeat_missed);
}

// -- the actor ----------------------------------------------------------------

connection::connection(caf::actor_config& cfg, net::home& where, net::link_ptr link, peer_info who,
                       std::shared_ptr<const connection_options> options)
    : super{cfg, where} {
  state.take(std::move(link), share(std::move(who)), std::move(options));
}

void connection::initialize() {
  super::initialize();
  state.start();
}

bool connection::handle(const caf::type_erased_tuple& content) {
  return dispatch(
      content, [this](atom::forward, const net::chunk& frames) { state.deliver(frames); },
      [this](atom::credit, uint64_t cost) { state.take_credit(cost); },
      [this](atom::recode) { state.recode_more(); },
      [this](atom::position, uint32_t position) { state.note_position(position); },
      [this](atom::bind, const peer_ref& peer) { state.bind(peer); },
      [this](atom::peer_end, uint64_t peer, const ending& how) { state.lose_peer(peer, how); },
      [this](atom::end, end_reason reason) { state.end(reason); },
      [this](atom::ping) { state.ping(); }, [this](atom::check) { state.check(); },
      [this](atom::rejoin) { state.join(); });
}

} // namespace tandem
