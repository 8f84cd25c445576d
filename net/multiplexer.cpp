#include "net/multiplexer.hpp"

#include "net/envelope.hpp"
#include "net/envelope_json.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace tandem::net {

namespace {

/// What a channel may write at a turn, in bytes.
constexpr int64_t quantum = 16 << 10;

/// What the connection may be ahead of the kernel, in bytes: what is given to it can't be overtaken
/// any more.
constexpr size_t most_ahead = size_t{64} << 10;

/// The channels' owners hear of the peer's connection as of a peer that was lost: that it closed
/// says nothing of what went on in them.
ending loss_of(const ending& how) {
  if (how.reason == end_reason::closed_by_peer || how.reason == end_reason::peer_closed)
    return ending::by(end_reason::vanished, "the connection that carried it was closed");
  return how;
}

} // namespace

multiplexer::multiplexer(link_ptr session, peer_info_ptr who, const multiplexer_options& options,
                         multiplexer_events& events)
    : multiplexer{std::move(session), std::move(who), options, single_tag{}} {
  single_ = false;
  events_ = &events;
}

multiplexer::multiplexer(link_ptr session, peer_info_ptr who, const multiplexer_options& options,
                         single_tag)
    : session_{std::move(session)}, who_{std::move(who)}, options_{options}, single_{true},
      reader_{who_->frames, who_->side, options.max_message}, self_{std::make_shared<multiplexer*>(
                                                                  this)} {}

multiplexer::~multiplexer() {
  ended_ = true;
  for (auto* x : channels_) {
    x->in_ring_ = x->in_granting_ = false;
    x->to_tell_ = nullptr;
  }
  while (!channels_.empty()) {
    auto& x = *channels_.back();
    const bool owned = !x.released_;
    forget(x);
    if (owned)
      x.end(how_);
  }
}

link_ptr multiplexer::make_single(link_ptr session, peer_info_ptr who,
                                  const multiplexer_options& options) {
  auto* hub = new multiplexer{std::move(session), std::move(who), options, single_tag{}};
  auto* only = hub->add();
  only->number_ = hub->open_.add(*only);
  only->open_ = true;
  return link_ptr{only};
}

void multiplexer::start() {
  if (!single_)
    session_->keep_kernel_queue_short();
  // What may be sent ahead of the peer is told at once.
  const auto ahead = single_ ? std::exchange(channels_.front()->to_grant_, 0) : 0;
  update_reading();
  session_->start(*this);
  if (ended_)
    return;
  chunk_builder message;
  append_json(message, frames(), envelope_type::event, 0,
              welcome_fields(who_->id, static_cast<uint64_t>(options_.heartbeat.count()), ahead));
  give(message.seal());
}

void multiplexer::close(const ending& how) {
  if (ended_)
    return;
  write_until(SIZE_MAX);
  write_last_words(how);
  session_->close(how);
  events_ = nullptr;
  end(how);
}

// -- channels -----------------------------------------------------------------

channel* multiplexer::add() {
  auto* x = new channel{*this};
  x->index_ = channels_.size();
  channels_.push_back(x);
  return x;
}

link_ptr multiplexer::open() {
  return link_ptr{add()};
}

/// A close by the owner.
void multiplexer::close_channel(channel& x) {
  if (single_)
    return close_single(x);
  x.closing_ = true;
  ++closing_;
  note_room(x);
  // However short the visit was, what was sent in it goes to the peer, if that takes it at once.
  if (!x.open_ && x.to_tell_)
    write_until(most_ahead);
  if (x.hub_ == nullptr)
    return;
  if (!x.open_)
    return forget(x);
  x.gathered_ = {};
  x.gathering_ = false;
  note_waiting(x);
  if (x.waiting() && options_.credit)
    wait_for_credit(x);
}

/// The connection goes with its one channel, whatever credit there is.
void multiplexer::close_single(channel& x) {
  if (ended_)
    return;
  while (x.waiting()) {
    x.add_credit(UINT32_MAX);
    note_waiting(x);
    write_until(SIZE_MAX);
  }
  chunk_builder out;
  if (x.bound_)
    append_close(out, frames(), x.number_, x.last_->code, x.last_->text);
  if (out.size() > 0)
    give(out.seal());
  write_last_words(*x.last_);
  ended_ = true;
  session_->close(*x.last_);
}

/// A channel that its owner closed can't wait for ever for the peer to take what was sent in it.
void multiplexer::wait_for_credit(const channel& x) {
  session_->where().call_after(options_.patience, [self = std::weak_ptr{self_}, n = x.number_] {
    const auto alive = self.lock();
    auto* late = alive ? (*alive)->open_.find(n) : nullptr;
    if (late == nullptr)
      return;
    late->drop_queue();
    (*alive)->note_waiting(*late);
  });
}

/// From here on nothing of the channel's comes or goes.
void multiplexer::forget(channel& x) noexcept {
  x.drop_queue();
  open_.remove(x.number_);
  closing_ -= x.closing_ ? 1 : 0;
  note_room(x);
  if (x.in_ring_)
    ring_.remove(&x);
  if (x.in_granting_)
    std::erase(granting_, &x);
  if (std::exchange(x.to_tell_, nullptr))
    opening_.remove(&x);
  channels_[x.index_] = channels_.back();
  channels_[x.index_]->index_ = x.index_;
  channels_.pop_back();
  x.hub_ = nullptr;
  if (x.released_)
    delete &x;
}

/// The connection is over, and nothing more comes or goes. The channels' owners hear of it after
/// the connection's own: whoever watches them all knows then what they ended of.
void multiplexer::end(const ending& how) {
  if (std::exchange(ended_, true))
    return;
  how_ = loss_of(how);
  if (single_)
    channels_.front()->end(how);
  else if (auto* events = std::exchange(events_, nullptr))
    events->on_end(how);
}

void multiplexer::fail(const ending& how) {
  session_->close(how);
  end(how);
}

// -- going out ----------------------------------------------------------------

void multiplexer::note_waiting(channel& x) {
  if (!x.in_ring_ && x.may_write()) {
    x.in_ring_ = true;
    ring_.push(&x);
  }
  schedule();
}

void multiplexer::schedule() {
  if (!asked_for_flush_ && !ended_ && queued_ < most_ahead && has_work()) {
    asked_for_flush_ = true;
    session_->flush_soon();
  }
}

bool multiplexer::has_work() const noexcept {
  return !ring_.empty() || !granting_.empty() || (!opening_.empty() && may_open());
}

void multiplexer::on_flush() {
  asked_for_flush_ = false;
  write_until(most_ahead);
}

void multiplexer::on_sent(size_t cost) {
  queued_ -= std::min(queued_, cost);
  while (cost > 0 && !sent_.empty()) {
    const auto done = sent_.pop();
    cost -= std::min(cost, done.cost);
    for (auto n = done.settled; n > 0; --n) {
      const auto x = settlements_.pop();
      if (auto* at = open_.find(x.channel); at != nullptr && at->events_ != nullptr)
        at->events_->on_sent(x.cost);
    }
  }
  write_until(most_ahead);
}

/// Gives the connection what there is, up to so much that the kernel hasn't taken.
void multiplexer::write_until(size_t most_queued) {
  while (!ended_ && queued_ < most_queued && has_work()) {
    chunk_builder out{room_for_chunk()};
    write_urgent(out);
    while (!ring_.empty() && out.size() < full_chunk)
      take_turn(out);
    if (out.size() > 0)
      give(out.seal());
  }
}

/// As many bytes as the next chunk will take, more or less.
size_t multiplexer::room_for_chunk() const noexcept {
  constexpr size_t for_messages_of_the_brokers = 256;
  return std::min(waiting_ + waiting_ / 8 + for_messages_of_the_brokers,
                  full_chunk + full_chunk / 8);
}

/// What lets the peer go on.
void multiplexer::write_urgent(chunk_builder& out) {
  while (!opening_.empty() && may_open() && out.size() < full_chunk) {
    auto& x = *opening_.pop();
    const auto peer = std::exchange(x.to_tell_, nullptr);
    x.number_ = open_.add(x);
    x.open_ = true;
    append_open(x, *peer, out);
    note_waiting(x);
  }
  for (auto* x : std::exchange(granting_, {})) {
    x->in_granting_ = false;
    // It may have been told along with a peer.
    if (const auto more = std::exchange(x->to_grant_, 0); more > 0)
      append_credit(out, frames(), x->number_, more);
  }
}

/// One that was closed and isn't yet told of has the slot still, as the peer sees it. A capacity
/// that was lowered keeps out none that is bound already.
bool multiplexer::may_open() const noexcept {
  return open_.size() < std::max<size_t>(options_.slots, channels_.size() - closing_);
}

void multiplexer::append_open(channel& x, const peer_info& peer, chunk_builder& out) {
  const auto credit = std::exchange(x.to_grant_, 0) + x.take_grant();
  append_json(out, frames(), envelope_type::open, x.number_, open_fields(*who_, peer, credit));
}

void multiplexer::take_turn(chunk_builder& out) {
  auto& x = *ring_.pop();
  x.in_ring_ = false;
  if (x.turn_ <= 0)
    x.turn_ += quantum;
  x.write(out);
  if (!x.may_write()) {
    x.turn_ = std::min<int64_t>(x.turn_, 0);
  } else if (x.waiting()) {
    x.in_ring_ = true;
    ring_.push(&x);
  } else {
    append_close(out, frames(), x.number_, x.last_->code, x.last_->text);
    forget(x);
  }
}

/// A message that was put together is a chunk by itself, and isn't copied again.
void multiplexer::write_gathered(channel& x, chunk_builder& out) {
  const auto message = x.gathered_.seal();
  if (frames() == framing::json || message.empty())
    return append_message(out, frames(), x.number_, x.gathered_op_, message.bytes());
  append_message_head(out, x.number_, x.gathered_op_, message.bytes().size());
  // What it is to be settled with is the last of it.
  const auto settled = std::exchange(unassigned_, 0);
  give(out.seal());
  unassigned_ = settled;
  give(message);
}

void multiplexer::give(chunk frames) {
  queued_ += frames.cost();
  sent_.push({frames.cost(), std::exchange(unassigned_, 0)});
  // If it takes no more, its end is on its way here.
  std::ignore = session_->send(std::move(frames));
}

/// So much is settled once the kernel has taken what is being filled.
void multiplexer::settle_with_next(uint32_t channel, size_t cost) {
  settlements_.push({channel, cost});
  ++unassigned_;
}

void multiplexer::write_last_words(const ending& how) {
  if (how.reason != end_reason::shutting_down)
    return;
  chunk_builder out;
  append_json(out, frames(), envelope_type::event, 0, draining_fields(0));
  give(out.seal());
}

} // namespace tandem::net
