#include "net/session.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <linux/sockios.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <utility>

namespace tandem::net {

namespace {

/// With so many bytes of pongs unsent, a peer that pings but doesn't read isn't read either.
constexpr size_t max_control_backlog = size_t{16} << 10;

/// Chunks in one gathered write.
constexpr size_t max_gather = 64;

void append_control(chunk_builder& to, opcode op, std::span<const std::byte> payload) {
  std::array<std::byte, max_head_size> head;
  auto n = write_head({.op = op, .fin = true, .reserved = 0, .length = payload.size(), .mask = {}},
                      head.data());
  to.append(std::span{head}.first(n));
  to.append(payload);
}

} // namespace

session::session(network_worker& worker, unique_fd fd, std::string early,
                 const session_limits& limits, decoder_extensions agreed, turnstile::place place)
    : socket_handler{worker}, worker_{worker}, limits_{limits}, fd_{std::move(fd)},
      decoder_{sender::client, limits.decoder, agreed}, early_{std::move(early)},
      place_{std::move(place)}, throttle_{limits.rates ? std::make_shared<throttle>() : nullptr} {}

link_ptr session::make(network_worker& worker, unique_fd fd, std::string early,
                       const session_limits& limits, decoder_extensions agreed,
                       turnstile::place place) {
  return link_ptr{
      new session{worker, std::move(fd), std::move(early), limits, agreed, std::move(place)}};
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
  queue_close(how.code, how.text);
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
  if (state_ == state::open)
    buffer = buffer.first(std::min({buffer.size(), static_cast<size_t>(room()),
                                    throttle_ ? throttle_->read_size() : SIZE_MAX}));
  auto n = ::recv(fd_.get(), buffer.data(), buffer.size(), 0);
  if (n < 0) {
    if (errno == ETIMEDOUT || errno == EHOSTUNREACH || errno == ENETUNREACH)
      on_eof("the other end's machine acknowledges nothing any more");
    else if (errno != EAGAIN && errno != EINTR)
      on_eof();
    return;
  }
  if (n == 0)
    return on_eof();
  ++life_;
  bytes_in_ += static_cast<size_t>(n);
  // Past its close frame, or its fault, nothing that a peer sends means anything.
  if (state_ != state::open && state_ != state::closing)
    return;
  const auto messages = decoder_.messages();
  consume(buffer.first(static_cast<size_t>(n)));
  slow_down(static_cast<size_t>(n), decoder_.messages() - messages);
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
    queue_close(how.code, how.text);
  peer_closed_ = true;
  enter(state::finishing);
  end(how);
}

void session::on_violation() {
  auto fault = decoder_.fault();
  auto how = ending::by(fault.reason, fault.text);
  if (state_ == state::open)
    queue_close(how.code, how.text);
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

/// Behind all that is queued. A code of 0 makes a close frame without a payload.
void session::queue_close(uint16_t code, std::string_view text) {
  std::array<std::byte, max_control_payload> payload;
  size_t length = 0;
  if (code != 0) {
    text = text.substr(0, max_control_payload - 2);
    payload[0] = static_cast<std::byte>(code >> 8);
    payload[1] = static_cast<std::byte>(code & 0xFF);
    std::memcpy(payload.data() + 2, text.data(), text.size());
    length = 2 + text.size();
  }
  chunk_builder frame;
  append_control(frame, opcode::close, std::span{payload}.first(length));
  outbox_.push(frame.seal());
  if (!write_blocked_)
    worker_.flush_later(*this);
}

void session::flush() {
  while (!outbox_.empty() && !write_blocked_ && state_ != state::done) {
    std::array<iovec, max_gather> parts;
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = outbox_.gather(parts);
    // Of one part, which is the most common, the kernel makes less.
    auto n = message.msg_iovlen == 1
                 ? ::send(fd_.get(), parts[0].iov_base, parts[0].iov_len, MSG_NOSIGNAL)
                 : ::sendmsg(fd_.get(), &message, MSG_NOSIGNAL);
    if (n < 0) {
      if (errno == EINTR)
        continue;
      if (errno != EAGAIN)
        return write_failed();
      n = 0;
    }
    bytes_out_ += static_cast<size_t>(n);
    size_t queued = 0;
    for (size_t i = 0; i < message.msg_iovlen; ++i)
      queued += parts[i].iov_len;
    // The kernel took less than it was given: it is full, and asking again would only say so.
    write_blocked_ = static_cast<size_t>(n) < queued;
    if (write_blocked_)
      note_blocked();
    auto cost = outbox_.consume(static_cast<size_t>(n));
    if (cost > 0 && events_ != nullptr)
      events_->on_sent(cost);
  }
  finish_if_flushed();
  update_interest();
}

/// From now on the other end is held to take something now and then.
void session::note_blocked() {
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
  if (state_ != state::finishing || !outbox_.empty())
    return;
  // After its close frame a peer sends nothing more, so there is nothing to wait for: the kernel
  // delivers the rest by itself.
  if (peer_closed_)
    return finish();
  ::shutdown(fd_.get(), SHUT_WR);
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
  int queued = 0;
  ::ioctl(fd_.get(), SIOCOUTQ, &queued);
  auto acknowledged = bytes_out_ - static_cast<uint64_t>(queued);
  if (acknowledged == std::exchange(acknowledged_, acknowledged))
    return;
  const bool waits = queued > 0 || !outbox_.empty();
  deadline_ = now + (waits ? limits_.stall_timeout : limits_.close_timeout);
}

/// The other end doesn't read. What waits for it is dropped; the reason still goes out, should it
/// ever come back.
void session::stall() {
  auto how = ending::by(end_reason::stalled);
  outbox_.drop_waiting();
  queue_close(how.code, how.text);
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
    return !throttled_ && room() > 0 && outbox_.control_bytes() < max_control_backlog;
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
