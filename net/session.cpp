#include "net/session.hpp"

#include "net/control_frame.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <sys/epoll.h>
#include <utility>

namespace tandem::net {

namespace {

/// With so many bytes of pongs unsent, a peer that pings but doesn't read isn't read either.
constexpr size_t max_control_backlog = size_t{16} << 10;

/// As much as one write may leave behind over TLS, and as many answers of its own: beyond it, a
/// peer that asks for answers but doesn't read isn't read either.
constexpr size_t max_held_back = tls_stream::most_sent + max_control_backlog;

/// Chunks in one gathered write.
constexpr size_t max_gather = 64;

} // namespace

session::session(network_worker& worker, transport socket, std::string early,
                 const session_limits& limits, decoder_extensions agreed, turnstile::place place)
    : socket_handler{worker}, worker_{worker}, limits_{limits}, transport_{std::move(socket)},
      decoder_{sender::client, limits.decoder, agreed}, early_{std::move(early)},
      place_{std::move(place)}, throttle_{limits.rates ? std::make_shared<throttle>() : nullptr} {}

link_ptr session::make(network_worker& worker, transport socket, std::string early,
                       const session_limits& limits, decoder_extensions agreed,
                       turnstile::place place) {
  return link_ptr{
      new session{worker, std::move(socket), std::move(early), limits, agreed, std::move(place)}};
}

// -- the owner's side ---------------------------------------------------------

void session::start(link_events& events) {
  events_ = &events;
  worker_.add(*this, EPOLLIN | EPOLLRDHUP);
  interest_ = EPOLLIN | EPOLLRDHUP;
  bytes_in_ = early_.size();
  if (auto early = std::exchange(early_, {}); !early.empty()) {
    consume(std::as_writable_bytes(std::span{early}));
    slow_down(early.size(), decoder_.messages());
  }
  update_interest();
}

send_status session::send(chunk frames) noexcept {
  if (state_ != state::open)
    return send_status::ended;
  outbox_.push(std::move(frames));
  if (!write_blocked_)
    worker_.flush_later(*this);
  return send_status::queued;
}

void session::flush_soon() {
  asked_for_flush_ = true;
  if (!write_blocked_)
    worker_.flush_later(*this);
}

void session::allow(int64_t cost) {
  allowance_ = cost;
  update_interest();
}

void session::allow_more(uint64_t cost) {
  allowance_ += static_cast<int64_t>(cost);
  update_interest();
}

void session::ping() {
  if (state_ != state::open)
    return;
  ++ping_number_;
  ping_sent_ = clock::now();
  chunk_builder frame;
  append_control(frame, opcode::ping, std::as_bytes(std::span{&ping_number_, 1}));
  queue_control(frame.seal());
}

void session::close(const ending& how) noexcept {
  events_ = nullptr;
  if (state_ != state::open)
    return;
  queue_close(how);
  enter(state::closing);
}

link_stats session::stats() const noexcept {
  return {decoder_.messages(), bytes_in_, bytes_out_, rtt_};
}

void session::release() noexcept {
  events_ = nullptr;
  if (interest_ == 0) {
    delete this;
    return;
  }
  released_ = true;
  if (state_ == state::open)
    close(ending::by(end_reason::broker_fault));
  if (state_ == state::done)
    worker_.remove(*this);
}

// -- reading ------------------------------------------------------------------

void session::on_ready(uint32_t events) {
  if ((events & EPOLLOUT) != 0 && write_blocked_) {
    write_blocked_ = false;
    ++life_;
    flush();
  }
  if (state_ == state::done)
    return;
  const bool reads = reading();
  if (reads) {
    if ((events & ~static_cast<uint32_t>(EPOLLOUT)) != 0)
      read();
  } else if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0 && events_ != nullptr) {
    events_->on_hangup();
  }
  update_interest(!reads);
}

void session::read() {
  auto buffer = worker_.read_buffer();
  size_t most = buffer.size();
  if (state_ == state::open)
    most = std::min(
        {most, static_cast<size_t>(room()), throttle_ ? throttle_->read_size() : SIZE_MAX});
  const auto got = transport_.read(buffer, most);
  if (got.size > 0) {
    ++life_;
    bytes_in_ += got.size;
    // Past its close frame, or its fault, nothing that a peer sends means anything.
    if (state_ == state::open || state_ == state::closing) {
      const auto messages = decoder_.messages();
      consume(buffer.first(got.size));
      slow_down(got.size, decoder_.messages() - messages);
    }
  }
  if (got.ended) {
    // Over TLS the end may come along with its close frame, which is still to be answered.
    if (state_ == state::finishing)
      flush();
    on_eof(got.fault);
  } else if (transport_.held_back() > 0 && !write_blocked_)
    block();
}

/// So much was read: stops reading for a while if the rates say so.
void session::slow_down(size_t bytes, uint64_t messages) {
  if (!throttle_)
    return;
  auto pause = throttle_->charge(limits_.rates, bytes, messages, clock::now());
  if (pause == clock::duration::zero())
    return;
  throttled_ = true;
  // It may be gone by then, and its throttle with it.
  worker_.call_after(std::chrono::ceil<std::chrono::milliseconds>(pause),
                     [this, alive = std::weak_ptr{throttle_}] {
                       if (alive.expired())
                         return;
                       throttled_ = false;
                       update_interest();
                     });
}

void session::consume(std::span<std::byte> in) {
  using event = frame_decoder::event;
  // Nothing may follow our close frame, which may have left already if this one isn't open.
  const bool answers = state_ == state::open;
  chunk_builder out{in.size() + max_head_size};
  chunk_builder pongs;
  for (;;) {
    auto what = decoder_.next(in, out);
    if (what == event::piece)
      deliver(decoder_.take_piece());
    else if (what == event::ping)
      append_control(pongs, opcode::pong, decoder_.control());
    else if (what == event::pong)
      on_pong(decoder_.control());
    else
      break_off(what, out);
    if (what == event::starved || what == event::close || what == event::violation)
      break;
  }
  if (answers && pongs.size() > 0)
    queue_control(pongs.seal());
}

/// The end of what can be decoded: what precedes a close or a violation is delivered before it.
void session::break_off(frame_decoder::event what, chunk_builder& out) {
  if (out.size() > 0)
    deliver(out.seal());
  if (what == frame_decoder::event::close)
    on_close_frame();
  else if (what == frame_decoder::event::violation)
    on_violation();
}

void session::deliver(chunk frames) {
  if (events_ == nullptr)
    return;
  allowance_ -= static_cast<int64_t>(frames.cost());
  events_->on_chunk(std::move(frames));
}

void session::on_close_frame() {
  auto reason = decoder_.control();
  ending how{end_reason::closed_by_peer, decoder_.close_code(),
             std::string{reinterpret_cast<const char*>(reason.data()), reason.size()}};
  if (state_ == state::open)
    queue_close(how);
  peer_closed_ = true;
  enter(state::finishing);
  end(how);
}

void session::on_violation() {
  auto fault = decoder_.fault();
  auto how = ending::by(fault.reason, fault.text);
  if (state_ == state::open)
    queue_close(how);
  enter(state::finishing);
  end(how);
}

/// The other end's FIN, or a broken connection.
void session::on_eof(std::string_view text) {
  auto was = state_;
  finish();
  if (was == state::open)
    end(ending::by(end_reason::vanished, text));
}

void session::on_pong(std::span<const std::byte> payload) {
  if (payload.size() == sizeof ping_number_ &&
      std::memcmp(payload.data(), &ping_number_, payload.size()) == 0)
    rtt_ = std::chrono::duration_cast<std::chrono::microseconds>(clock::now() - ping_sent_);
}

// -- writing ------------------------------------------------------------------

void session::queue_control(chunk frames) {
  outbox_.push_control(std::move(frames));
  if (!write_blocked_)
    worker_.flush_later(*this);
}

/// Behind all that is queued.
void session::queue_close(const ending& how) {
  outbox_.push(make_close_frame(how.code, how.text));
  if (!write_blocked_)
    worker_.flush_later(*this);
}

void session::flush() {
  if (asked_for_flush_ && !write_blocked_) {
    asked_for_flush_ = false;
    if (events_ != nullptr)
      events_->on_flush();
  }
  while (unsent() && !write_blocked_ && state_ != state::done) {
    std::array<iovec, max_gather> parts;
    const auto n = outbox_.gather(parts);
    const auto written = transport_.write(std::span{parts}.first(n));
    if (written.broken)
      return write_failed();
    bytes_out_ += written.size;
    // The kernel is full, and asking again would only say so.
    if (written.blocked)
      block();
    auto cost = outbox_.consume(written.size);
    if (cost > 0 && events_ != nullptr)
      events_->on_sent(cost);
  }
  finish_if_flushed();
  update_interest();
}

/// Until the socket is writable. From now on the other end is held to take something now and then.
void session::block() {
  write_blocked_ = true;
  if (state_ != state::open)
    return;
  deadline_ = clock::now() + limits_.stall_timeout;
  worker_.watch(*this);
}

/// Nothing more can be sent. What the other end sent before may still be there to be read, so its
/// end is left to the reading side.
void session::write_failed() {
  outbox_.clear();
  write_blocked_ = false;
  if (state_ == state::open && !reading() && events_ != nullptr)
    events_->on_hangup();
  else if (state_ != state::open)
    finish();
  // Pongs that nobody will get hold up no more reading.
  update_interest();
}

// -- ending -------------------------------------------------------------------

void session::end(const ending& how) {
  if (auto* events = std::exchange(events_, nullptr))
    events->on_end(how);
}

void session::enter(state next) {
  state_ = next;
  deadline_ = clock::now() + limits_.close_timeout;
  worker_.watch(*this);
  finish_if_flushed();
  update_interest();
}

void session::finish_if_flushed() {
  if (state_ != state::finishing || unsent())
    return;
  if (!transport_.finish_writing()) {
    block();
    return;
  }
  // After its close frame a peer sends nothing more, so there is nothing to wait for: the kernel
  // delivers the rest by itself. But TLS ends with a word of its own, which would meet a reset.
  if (peer_closed_ && !transport_.secure())
    finish();
  else
    state_ = state::shut;
}

/// Nothing more comes or goes. The session is freed once its owner gave it up, which it does within
/// a turn or two.
void session::finish() {
  if (state_ == state::done)
    return;
  state_ = state::done;
  outbox_.clear();
  if (released_)
    worker_.remove(*this);
}

bool session::check_deadline(clock::time_point now) {
  if (state_ == state::done || (state_ == state::open && !write_blocked_))
    return false;
  note_progress(now);
  if (now >= deadline_) {
    if (state_ == state::open)
      stall();
    else
      finish();
  }
  return state_ != state::done;
}

/// As long as the other end takes something of what is queued for it, it isn't at fault.
void session::note_progress(clock::time_point now) {
  size_t waiting = 0;
  if (transport_.progressed(waiting))
    deadline_ =
        now + (waiting > 0 || !outbox_.empty() ? limits_.stall_timeout : limits_.close_timeout);
}

/// The other end doesn't read. What waits for it is dropped; the reason still goes out, should it
/// ever come back.
void session::stall() {
  auto how = ending::by(end_reason::stalled);
  outbox_.drop_waiting();
  queue_close(how);
  enter(state::finishing);
  end(how);
}

// -- interest -----------------------------------------------------------------

/// What may still be read, in cost: a piece that is being filled counts already.
int64_t session::room() const noexcept {
  return allowance_ - static_cast<int64_t>(decoder_.held());
}

bool session::reading() const noexcept {
  if (state_ == state::open)
    return !throttled_ && room() > 0 && outbox_.control_bytes() < max_control_backlog &&
           transport_.held_back() < max_held_back;
  return state_ != state::done;
}

/// Has epoll watch for what matters now. Reading is resumed at once, but stopped only when
/// `may_stop`: that is, when the socket was found ready although it isn't to be read. Credit mostly
/// returns before that, and then no call is spent on stopping and resuming.
void session::update_interest(bool may_stop) {
  if (interest_ == 0 || state_ == state::done)
    return;
  // Unread, a peer's FIN stays ready for ever: edge-triggered, it is told once.
  constexpr uint32_t watching = EPOLLIN | EPOLLRDHUP;
  constexpr uint32_t waiting = EPOLLRDHUP | EPOLLET;
  auto wanted = reading() ? watching : may_stop ? waiting : interest_ & ~EPOLLOUT;
  if (write_blocked_)
    wanted |= EPOLLOUT;
  if (wanted != interest_)
    worker_.modify(*this, interest_ = wanted);
}

} // namespace tandem::net
