#include "net/multiplexer.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace tandem::net {

namespace {

/// A piece of a message, on its way from a delivered chunk to its channel's.
struct share {
  channel* to;
  const std::byte* payload;
  uint32_t size;
  opcode op;
  bool last;
};

/// What all multiplexers of a thread take their chunks apart with, each at its turn, so that an
/// idle one owns no memory for it.
struct work_area {
  std::vector<share> shares;
  std::vector<channel*> receivers;
};

work_area& area() {
  static thread_local work_area mine;
  return mine;
}

/// So many are handed over at once, at most: what they need stays in the cache.
constexpr size_t most_shares = 4096;

/// More than a read ever brings.
constexpr int64_t read_on = 1 << 20;

constexpr size_t size_on_wire(size_t payload) noexcept {
  return payload + (payload < 126 ? 2 : payload <= 0xFFFF ? 4 : 10);
}

} // namespace

void multiplexer::on_chunk(chunk frames) {
  using event = envelope_reader::event;
  reader_.feed(frames.bytes());
  while (!ended_) {
    const auto what = reader_.next();
    if (what == event::data)
      take_data(reader_.data());
    else if (what == event::control)
      take_control(reader_.control());
    else
      break;
  }
  deliver();
  if (!ended_ && reader_.failed())
    fail(reader_.fault());
  else
    update_reading();
}

void multiplexer::take_data(const envelope_reader::piece& piece) {
  auto* to = open_.find(piece.channel);
  if (to == nullptr && !open_.was_given(piece.channel))
    return refuse("a message on a channel that never was");
  if (to == nullptr || to->events_ == nullptr) {
    dropped_ += piece.last ? 1 : 0;
    return;
  }
  auto& [shares, receivers] = area();
  if (to->batch_size_ == 0)
    receivers.push_back(to);
  to->batch_size_ += size_on_wire(piece.payload.size());
  shares.push_back({to, piece.payload.data(), static_cast<uint32_t>(piece.payload.size()),
                    piece.first ? piece.op : opcode::continuation, piece.last});
  if (piece.first && to->granted_ <= 0 && !std::exchange(to->overran_, true))
    ++overran_;
  to->granted_ -= static_cast<int64_t>(piece.payload.size()) + (piece.first ? envelope_weight : 0);
  to->inside_ = !piece.last;
  to->messages_in_ += piece.last ? 1 : 0;
  to->bytes_in_ += piece.payload.size();
  // A payload in JSON lasts until the next one.
  if (shares.size() == most_shares || frames() == framing::json)
    deliver();
}

/// Hands what was taken to the channels' owners: one chunk for each, whatever came for it.
void multiplexer::deliver() {
  auto& [shares, receivers] = area();
  for (auto* to : receivers)
    to->batch_ = chunk_builder{to->batch_size_};
  for (const auto& x : shares) {
    auto* out = x.to->batch_.data() + x.to->batch_.size();
    const auto n =
        write_head({.op = x.op, .fin = x.last, .reserved = 0, .length = x.size, .mask = {}}, out);
    if (x.size > 0)
      std::memcpy(out + n, x.payload, x.size);
    x.to->batch_.commit(n + x.size);
  }
  shares.clear();
  for (auto* to : receivers) {
    to->batch_size_ = 0;
    auto frames = to->batch_.seal();
    to->allowance_ -= static_cast<int64_t>(frames.cost());
    if (to->events_ != nullptr)
      to->events_->on_chunk(std::move(frames));
    grant(*to);
  }
  receivers.clear();
}

/// For what the reader can't know to be wrong.
void multiplexer::refuse(std::string_view text) {
  deliver();
  fail(ending::by(end_reason::protocol_error, text));
}

void multiplexer::take_control(const envelope& what) {
  auto* at = open_.find(what.channel);
  if (what.channel != 0 && at == nullptr && !open_.was_given(what.channel))
    return refuse(what.type == envelope_type::close ? "a close of a channel that never was"
                                                    : "a credit for a channel that never was");
  if (what.type == envelope_type::credit && at != nullptr) {
    at->add_credit(what.amount);
    note_waiting(*at);
  } else if (what.type == envelope_type::close && at != nullptr) {
    take_close(*at, what);
  } else if (what.type == envelope_type::capacity && events_ != nullptr) {
    options_.slots = std::min(what.amount, options_.most_slots);
    schedule();
    events_->on_capacity(options_.slots);
  } else if (what.type == envelope_type::drain && events_ != nullptr) {
    events_->on_drain();
  }
}

void multiplexer::take_close(channel& at, const envelope& what) {
  deliver();
  const ending how{end_reason::closed_by_peer, what.code, what.text};
  if (single_)
    return fail(how);
  const bool owned = !at.released_;
  forget(at);
  if (owned)
    at.end(how);
  schedule();
}

// -- what the peer may send ---------------------------------------------------

/// Tells the peer that it may send more, if that is worth a message.
void multiplexer::grant(channel& to) {
  if (!to.open_ || (to.events_ == nullptr && !single_))
    return;
  if (to.grantable() >= to.step_) {
    to.to_grant_ += to.take_grant();
    if (!std::exchange(to.in_granting_, true))
      granting_.push_back(&to);
    schedule();
  }
  if (to.granted_ > 0)
    note_room(to);
  if (single_)
    update_reading();
}

/// The channel no longer keeps its peer from being read.
void multiplexer::note_room(channel& x) {
  if (!std::exchange(x.overran_, false))
    return;
  --overran_;
  update_reading();
}

/// One who sends more than it may isn't read until there is room for it, which its channels all
/// wait for.
void multiplexer::update_reading() {
  if (ended_)
    return;
  if (single_)
    session_->allow(channels_.front()->allowance_);
  else
    session_->allow(overran_ == 0 || hung_up_ ? read_on : 0);
}

void multiplexer::on_hangup() {
  if (single_) {
    if (auto* events = channels_.front()->events_)
      events->on_hangup();
    return;
  }
  // Nobody else is slowed down any more: what it has sent is read to its end, which all are to
  // learn of.
  hung_up_ = true;
  update_reading();
}

} // namespace tandem::net
