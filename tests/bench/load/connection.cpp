#include "tests/bench/load/connection.hpp"

#include "tests/bench/load/mix.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <random>
#include <sys/socket.h>
#include <utility>

namespace tandem::bench {

using net::opcode;

namespace {

std::string error_text(const char* what, int error) {
  return fmt::format("{}: {}", what, std::strerror(error));
}

/// Close code and reason in words.
std::string describe_close(std::span<const std::byte> payload) {
  if (payload.size() < 2)
    return "closed by the relay, without a code";
  auto code = std::to_integer<unsigned>(payload[0]) << 8 | std::to_integer<unsigned>(payload[1]);
  std::string_view reason{reinterpret_cast<const char*>(payload.data()) + 2, payload.size() - 2};
  return fmt::format("closed by the relay with {}{}{}", code, reason.empty() ? "" : ": ", reason);
}

uint64_t random_word() {
  static thread_local std::mt19937_64 source{std::random_device{}()};
  return source();
}

} // namespace

connection::connection(reactor& loop, connection_owner& owner) noexcept
    : loop_(loop), owner_(owner) {}

void connection::dial(const dial_options& options) {
  if (state_ != state::fresh)
    return;
  dialed_ = clock::now();
  state_ = state::connecting;
  paced_ = options.paced;
  auto key = make_key(random_word());
  auto request = upgrade_request(*options.where, options.id, key, options.compressed);
  const auto* bytes = reinterpret_cast<const std::byte*>(request.data());
  backlog_.assign(bytes, bytes + request.size());
  handshake_.emplace(key, options.compressed);
  reader_ = frame_reader{options.compressed};
  const auto fd = open_socket(*options.where, options.ordinal, options.receive_buffer);
  if (fd < 0)
    return end(ending::kind::unopened, error_text("connect", errno));
  channel_.open(fd, options.where->tls);
  watched_ = EPOLLOUT;
  loop_.watch(fd, watched_, *this);
}

void connection::give_up(std::string why) {
  if (state_ == state::connecting || state_ == state::shaking_hands)
    end(ending::kind::unopened, std::move(why));
}

void connection::want_write() {
  if (!eager_ && state_ == state::open && backlog_.empty()) {
    eager_ = true;
    loop_.enlist(*this);
  }
}

void connection::close() {
  if (state_ != state::open)
    return drop();
  if (mute_)
    return;
  // Inside a frame there is no place for a close.
  if (!owner_.between_frames(*this))
    return drop();
  constexpr std::array<std::byte, 2> normal{std::byte{1000 >> 8}, std::byte{1000 & 0xFF}};
  queue_control(opcode::close, normal);
  read_freely();
}

void connection::drop() {
  if (state_ != state::over)
    end(ending::kind::wanted, {});
}

void connection::handle(uint32_t events) {
  if (state_ == state::over)
    return;
  if (state_ == state::connecting)
    return on_connected();
  // What comes may be the relay's part of TLS's handshake.
  if ((events & EPOLLOUT) != 0 || channel_.waits_for_relay())
    send_backlog();
  // A dead socket reports itself however little is watched for, so it has to be read to its end.
  if ((events & (EPOLLERR | EPOLLHUP)) != 0)
    read_freely();
  if ((events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0)
    read_at_most(loop_.read_room().size());
}

void connection::on_connected() {
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(channel_.fd(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0)
    return fail("connect", error);
  state_ = state::shaking_hands;
  send_backlog();
}

size_t connection::read_at_most(size_t n) {
  if (state_ == state::over || n == 0)
    return 0;
  auto room = loop_.read_room();
  auto got = channel_.receive(room.first(std::min(n, room.size())));
  if (got > 0) {
    loop_.read_clock();
    take(room.first(static_cast<size_t>(got)));
    return static_cast<size_t>(got);
  }
  if (got == 0)
    on_eof();
  else if (errno != EAGAIN && errno != EINTR)
    fail("recv", errno);
  return 0;
}

void connection::read_freely() {
  paced_ = false;
  if (state_ != state::over)
    update_events();
}

void connection::take(std::span<const std::byte> bytes) {
  if (state_ == state::shaking_hands)
    take_handshake(bytes);
  else
    take_frames(bytes);
}

void connection::take_handshake(std::span<const std::byte> bytes) {
  using answer = upgrade_response::state;
  std::string_view text{reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  switch (handshake_->feed(text)) {
  case answer::incomplete:
    return;
  case answer::refused:
    return end(ending::kind::unopened, handshake_->error());
  case answer::accepted:
    break;
  }
  auto done = std::exchange(handshake_, std::nullopt);
  state_ = state::open;
  update_events();
  owner_.on_open(*this);
  auto rest = done->rest();
  take_frames({reinterpret_cast<const std::byte*>(rest.data()), rest.size()});
}

void connection::take_frames(std::span<const std::byte> bytes) {
  while (state_ == state::open) {
    auto event = reader_.next(bytes);
    switch (event.what) {
    case frame_event::kind::none:
      return;
    case frame_event::kind::piece:
      owner_.on_piece(*this, event);
      break;
    case frame_event::kind::control:
      take_control(event);
      break;
    case frame_event::kind::violation:
      return end(ending::kind::violation, std::string{event.fault});
    }
  }
}

void connection::take_control(const frame_event& control) {
  if (control.op == opcode::close)
    return take_close(control.bytes);
  if (control.op == opcode::ping) {
    count_ping();
    if (!mute_)
      queue_control(opcode::pong, control.bytes);
  }
}

void connection::take_close(std::span<const std::byte> payload) {
  auto text = describe_close(payload);
  if (!mute_) {
    queue_control(opcode::close, payload.first(std::min<size_t>(payload.size(), 2)));
    flush();
  }
  if (state_ == state::open)
    end(ending::kind::closed, std::move(text));
}

void connection::count_ping() {
  auto now = loop_.now();
  if (pings_.count++ > 0)
    pings_.longest_gap = std::max(pings_.longest_gap, now - last_ping_);
  last_ping_ = now;
}

void connection::queue_control(opcode op, std::span<const std::byte> payload) {
  std::array<std::byte, net::max_head_size + net::max_control_payload> frame;
  auto key = std::bit_cast<net::mask_key>(static_cast<uint32_t>(random_word()));
  auto n = net::write_head({.op = op, .length = payload.size(), .mask = key}, frame.data());
  net::apply_mask(payload.data(), frame.data() + n, payload.size(), key, 0);
  control_.insert(control_.end(), frame.data(), frame.data() + n + payload.size());
  mute_ = mute_ || op == opcode::close;
  want_write();
}

void connection::flush() {
  eager_ = false;
  if (state_ != state::open || !backlog_.empty())
    return;
  loop_.read_clock();
  auto room = loop_.write_room();
  size_t n = 0;
  if (!control_.empty() && owner_.between_frames(*this)) {
    n = std::min(control_.size(), room.size());
    std::copy_n(control_.data(), n, room.data());
    control_.erase(control_.begin(), control_.begin() + static_cast<ptrdiff_t>(n));
  }
  bool more = !control_.empty();
  // Nothing may follow a close.
  if (!mute_)
    n += owner_.produce(*this, room.subspan(n), more);
  if (n > 0)
    send(room.first(n));
  if (more)
    want_write();
}

/// Returns the bytes that are off our hands.
size_t connection::try_send(std::span<const std::byte> bytes) {
  auto sent = channel_.send(bytes);
  if (sent >= 0)
    return static_cast<size_t>(sent);
  if (errno == EAGAIN || errno == EINTR)
    return 0;
  // The relay has hung up. Why, its last bytes may say, and they are still to be read.
  mute_ = true;
  return bytes.size();
}

void connection::send(std::span<const std::byte> bytes) {
  bytes = bytes.subspan(try_send(bytes));
  if (bytes.empty())
    return;
  backlog_.assign(bytes.begin(), bytes.end());
  update_events();
}

void connection::send_backlog() {
  backlog_.erase(backlog_.begin(), backlog_.begin() + static_cast<ptrdiff_t>(try_send(backlog_)));
  if (!backlog_.empty())
    return update_events();
  // An idle connection should cost nothing here either.
  backlog_.shrink_to_fit();
  update_events();
  want_write();
}

void connection::update_events() {
  auto reads = !paced_ || state_ != state::open;
  auto writes = !backlog_.empty() && !channel_.waits_for_relay();
  auto wanted = (reads ? uint32_t{EPOLLIN} : 0U) | (writes ? uint32_t{EPOLLOUT} : 0U);
  if (wanted != std::exchange(watched_, wanted))
    loop_.rewatch(channel_.fd(), wanted, *this);
}

void connection::on_eof() {
  if (state_ != state::shaking_hands)
    return end(ending::kind::closed, "closed by the relay without a close frame");
  handshake_->finish();
  end(ending::kind::unopened, handshake_->error());
}

void connection::fail(const char* what, int error) {
  auto opened = state_ == state::open;
  end(opened ? ending::kind::closed : ending::kind::unopened, error_text(what, error));
}

void connection::end(ending::kind what, std::string text) {
  channel_.close();
  state_ = state::over;
  owner_.on_end(*this, ending{what, std::move(text)});
}

} // namespace tandem::bench
