#include "net/channel.hpp"

#include "net/envelope.hpp"
#include "net/envelope_json.hpp"
#include "net/multiplexer.hpp"

#include <algorithm>
#include <utility>

namespace tandem::net {

namespace {

/// Grants go out in steps of the allowance's quarter, as credit between actors does.
constexpr int64_t steps_per_allowance = 4;

/// More credit than anybody can use up.
constexpr int64_t most_credit = int64_t{1} << 62;

} // namespace

channel::channel(multiplexer& hub) noexcept
    : hub_{&hub}, home_{hub.connection().where()}, credit_{hub.options_.credit
                                                               ? int64_t{*hub.options_.credit}
                                                               : most_credit} {}

void channel::start(link_events& events) {
  events_ = &events;
  if (hub_->single_)
    hub_->start();
}

send_status channel::send(chunk frames) noexcept {
  if (hub_ == nullptr || events_ == nullptr)
    return send_status::ended;
  if (frames.empty())
    return send_status::queued;
  hub_->waiting_ += frames.bytes().size();
  queue_.push({std::move(frames), false});
  hub_->note_waiting(*this);
  return send_status::queued;
}

// -- what the peer may send ---------------------------------------------------

void channel::allow(int64_t cost) {
  step_ = std::max(step_, cost / steps_per_allowance);
  allowance_ = cost;
  if (hub_ != nullptr)
    hub_->grant(*this);
}

void channel::allow_more(uint64_t cost) {
  allowance_ += static_cast<int64_t>(cost);
  if (hub_ != nullptr)
    hub_->grant(*this);
}

/// How much more the peer may send than it knows, which it is told from now on.
uint32_t channel::take_grant() noexcept {
  const auto more = std::clamp<int64_t>(grantable(), 0, UINT32_MAX);
  granted_ += more;
  return static_cast<uint32_t>(more);
}

// -- life ---------------------------------------------------------------------

void channel::ping() {
  if (hub_ != nullptr && hub_->single_)
    hub_->connection().ping();
}

uint32_t channel::life() const noexcept {
  return hub_ != nullptr ? hub_->connection().life() : 0;
}

bool channel::paused() const noexcept {
  return hub_ != nullptr && hub_->connection().paused();
}

link_stats channel::stats() const noexcept {
  const auto rtt = hub_ != nullptr ? hub_->connection().stats().rtt : std::chrono::microseconds{0};
  return {messages_in_, bytes_in_, bytes_out_, rtt};
}

void channel::close(const ending& how) noexcept {
  if (events_ == nullptr || hub_ == nullptr)
    return;
  events_ = nullptr;
  last_ = how;
  hub_->close_channel(*this);
}

void channel::release() noexcept {
  close(ending::by(end_reason::broker_fault));
  events_ = nullptr;
  released_ = true;
  if (hub_ == nullptr)
    delete this;
  else if (hub_->single_)
    // Which frees this, too.
    delete hub_;
}

/// The peer's side of it is over.
void channel::end(const ending& how) {
  if (auto* events = std::exchange(events_, nullptr))
    events->on_end(how);
}

// -- what the peer is told ----------------------------------------------------

void channel::tell_bound(const peer_info_ptr& peer) {
  if (hub_ == nullptr || events_ == nullptr)
    return;
  if (hub_->single_) {
    bound_ = true;
    chunk_builder message;
    hub_->append_open(*this, *peer, message);
    return queue_own(message);
  }
  if (std::exchange(to_tell_, peer) == nullptr)
    hub_->opening_.push(this);
  hub_->schedule();
}

void channel::tell_waiting(uint32_t position) {
  if (hub_ != nullptr && hub_->single_)
    tell(waiting_fields(position));
}

void channel::tell_peer_lost(bool rematching) {
  bound_ = false;
  if (hub_ != nullptr && hub_->single_)
    tell(peer_lost_fields(rematching));
}

/// Behind all that came before it.
void channel::tell(std::string_view event) {
  chunk_builder message;
  append_json(message, hub_->frames(), envelope_type::event, 0, event);
  queue_own(message);
}

void channel::queue_own(chunk_builder& message) {
  hub_->waiting_ += message.size();
  queue_.push({message.seal(), true});
  hub_->note_waiting(*this);
}

// -- writing ------------------------------------------------------------------

/// What waits may go out, or else its close.
bool channel::may_write() const noexcept {
  return open_ && (waiting() ? credit_ > 0 || queue_.front().own : closing_);
}

/// Writes messages until its turn or its credit is over, or the chunk is full enough.
void channel::write(chunk_builder& out) {
  while (waiting() && may_write() && turn_ > 0 && out.size() < multiplexer::full_chunk)
    write_frame(out);
}

/// A chunk is a run of whole frames, so none is cut.
void channel::write_frame(chunk_builder& out) {
  const auto& [frames, own] = queue_.front();
  const auto in = frames.bytes().subspan(offset_);
  if (own) {
    out.append(in);
    hub_->waiting_ -= in.size();
    queue_.pop();
    return;
  }
  const auto head = read_head(in.data());
  const auto size = head_size(in[0], in[1]);
  const auto payload = in.subspan(size, static_cast<size_t>(head.length));
  offset_ += size + payload.size();
  hub_->waiting_ -= size + payload.size();
  const bool whole = head.fin && !gathering_;
  const bool gathered = !whole && gather(head, payload);
  if (whole) {
    append_message(out, hub_->frames(), number_, head.op, payload);
    spend(payload.size());
  }
  if (offset_ == frames.bytes().size())
    pop();
  if (gathered)
    hub_->write_gathered(*this, out);
}

/// Fragments of two channels can't take turns, so a message of several is put together first. True
/// if it is whole.
bool channel::gather(const frame_head& head, std::span<const std::byte> payload) {
  if (!std::exchange(gathering_, true))
    gathered_op_ = head.op;
  gathered_.append(payload);
  if (!head.fin)
    return false;
  gathering_ = false;
  spend(gathered_.size());
  return true;
}

void channel::spend(size_t bytes) noexcept {
  const auto cost = static_cast<int64_t>(bytes) + envelope_weight;
  bytes_out_ += bytes;
  turn_ -= cost;
  if (hub_->options_.credit)
    credit_ -= cost;
  wrote_ = true;
}

/// The first chunk is used up. Its cost is settled when what was written of it has left; if it only
/// went into an unfinished message, that is now, or that message could never be finished.
void channel::pop() {
  const auto cost = queue_.pop().frames.cost();
  offset_ = 0;
  if (std::exchange(wrote_, false))
    hub_->settle_with_next(number_, cost);
  else if (events_ != nullptr)
    events_->on_sent(cost);
}

void channel::drop_queue() noexcept {
  hub_->waiting_ += std::exchange(offset_, 0);
  while (waiting())
    hub_->waiting_ -= queue_.pop().frames.bytes().size();
  gathered_ = {};
  gathering_ = false;
}

void channel::add_credit(uint32_t bytes) noexcept {
  credit_ = std::min(credit_ + bytes, most_credit);
}

} // namespace tandem::net
