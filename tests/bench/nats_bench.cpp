/// nats-bench: tandem-bench for a NATS server that is reached over WebSocket.
///
/// The client of pair N publishes to w.N and is subscribed to c.N, the worker the other way round.
/// Options and output are tandem-bench's, as far as they make sense here: messages have one size,
/// and of what arrives only count and length are checked. As tandem-bench does, it sends each
/// message in a frame of its own, and all that is due after a read by one write.

#include "tests/bench/load/arrivals.hpp"
#include "tests/bench/load/frame_reader.hpp"
#include "tests/bench/load/handshake.hpp"
#include "tests/bench/load/nats_reader.hpp"
#include "tests/bench/load/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <poll.h>
#include <random>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <vector>

namespace {

using namespace tandem::bench;
namespace net = tandem::net;
using clock_type = std::chrono::steady_clock;
using time_point = clock_type::time_point;

constexpr int patience_ms = 10'000;

[[noreturn]] void fail(const char* what) {
  throw std::system_error{errno, std::generic_category(), what};
}

std::string masked_frame(std::string_view content) {
  net::frame_head head;
  head.op = net::opcode::binary;
  head.length = content.size();
  head.mask = net::mask_key{std::byte{0x37}, std::byte{0xFA}, std::byte{0x21}, std::byte{0x3D}};
  std::string frame(net::max_head_size + content.size(), '\0');
  auto* bytes = reinterpret_cast<std::byte*>(frame.data());
  const auto size = net::write_head(head, bytes);
  net::apply_mask(reinterpret_cast<const std::byte*>(content.data()), bytes + size, content.size(),
                  *head.mask, 0);
  frame.resize(size + content.size());
  return frame;
}

/// One side of a pair.
struct side {
  int fd = -1;
  uint64_t pair = 0;
  bool is_client = false;
  frame_reader frames{};
  nats_reader reader{};
  /// What publishes a message.
  std::string message{};
  std::string unsent{};
  bool blocked = false;
  bool dirty = false;
  /// When the client's unanswered messages were sent, or due.
  std::deque<time_point> asked{};
};

void await(int fd, short what) {
  pollfd entry{.fd = fd, .events = what, .revents = 0};
  if (poll(&entry, 1, patience_ms) != 1)
    throw std::runtime_error{"the server doesn't answer"};
}

void send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto n = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN)
      fail("send");
    bytes.remove_prefix(static_cast<size_t>(std::max<ssize_t>(n, 0)));
    if (!bytes.empty())
      await(fd, POLLOUT);
  }
}

class nats_run {
public:
  explicit nats_run(const options& chosen)
      : plan_{make_plan(chosen, "nats")}, chosen_{plan_.chosen}, size_{chosen_.sizes.most()},
        epoll_{epoll_create1(EPOLL_CLOEXEC)} {
    if (epoll_ < 0)
      fail("epoll_create1");
    if (chosen_.rate)
      schedule_.emplace(*chosen_.rate, chosen_.pairs, chosen_.poisson, std::random_device{}());
  }

  const plan& what() const noexcept { return plan_; }

  report carry_out() {
    result_.relay_before = relay();
    for (uint64_t pair = 0; pair < chosen_.pairs; ++pair)
      for (auto is_client : {true, false})
        connect(pair, is_client);
    begin_load();
    begin_ = clock_type::now() + std::chrono::duration_cast<clock_type::duration>(chosen_.warm_up);
    go_on_until(begin_);
    start_measuring();
    end_ =
        clock_type::now() + std::chrono::duration_cast<clock_type::duration>(chosen_.time_limit());
    go_on_until(*end_);
    stop_measuring();
    drain();
    return result_;
  }

private:
  std::optional<process_sample> relay() const {
    return chosen_.pid > 0 ? sample_process(chosen_.pid) : std::nullopt;
  }

  // -- connecting

  void connect(uint64_t pair, bool is_client) {
    const auto began = clock_type::now();
    auto who = std::make_unique<side>();
    who->pair = pair;
    who->is_client = is_client;
    const auto own = fmt::format("{}.{}", is_client ? 'c' : 'w', pair);
    const auto other = fmt::format("{}.{}", is_client ? 'w' : 'c', pair);
    who->message =
        masked_frame(fmt::format("PUB {} {}\r\n{}\r\n", other, size_, std::string(size_, 'x')));
    who->fd = open_socket(plan_.client, sides_.size(), 0);
    if (who->fd < 0)
      fail("connect");
    await(who->fd, POLLOUT);
    const auto key = make_key(sides_.size());
    send_all(who->fd, upgrade_request(plan_.client, "nats", key));
    upgrade_response answer{key};
    auto state = upgrade_response::state::incomplete;
    while (state == upgrade_response::state::incomplete)
      state = answer.feed(as_text(receive(*who)));
    if (state == upgrade_response::state::refused)
      throw std::runtime_error{answer.error()};
    result_.total.handshake.record(nanoseconds(clock_type::now() - began));
    // The answer to PING says that the subscription is there.
    send_all(who->fd,
             masked_frame(fmt::format(R"(CONNECT {{"verbose":false,"pedantic":false,"echo":false}})"
                                      "\r\nSUB {} 1\r\nPING\r\n",
                                      own)));
    ready_ = false;
    take(*who, std::as_bytes(std::span{answer.rest()}));
    while (!ready_)
      take(*who, receive(*who));
    epoll_event event{.events = EPOLLIN, .data = {.ptr = who.get()}};
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, who->fd, &event) != 0)
      fail("epoll_ctl");
    sides_.push_back(std::move(who));
    ++result_.total.now.opened;
  }

  std::span<const std::byte> receive(side& who) {
    await(who.fd, POLLIN);
    const auto n = recv(who.fd, room_.data(), room_.size(), 0);
    if (n <= 0)
      throw std::runtime_error{"the server ended a connection"};
    return std::span{room_}.first(static_cast<size_t>(n));
  }

  static std::string_view as_text(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

  static uint64_t nanoseconds(clock_type::duration time) {
    return static_cast<uint64_t>(std::chrono::nanoseconds{time}.count());
  }

  // -- the load

  void begin_load() {
    now_ = clock_type::now();
    if (schedule_)
      return schedule_->start(now_);
    for (auto& who : sides_)
      for (uint64_t i = 0; who->is_client && i < chosen_.window(); ++i)
        ask(*who, now_);
  }

  /// The clients of a pair are at even places.
  void send_what_is_due() {
    while (schedule_->next_due() <= now_) {
      const auto next = schedule_->take();
      result_.total.lag.record(nanoseconds(now_ - next.due));
      ask(*sides_[2 * next.pair], next.due);
    }
  }

  void ask(side& client, time_point when) {
    client.asked.push_back(when);
    ++result_.total.now.outstanding;
    queue(client, client.message);
  }

  void queue(side& who, std::string_view frame) {
    who.unsent += frame;
    if (!std::exchange(who.dirty, true))
      dirty_.push_back(&who);
  }

  void go_on_until(time_point end) {
    for (now_ = clock_type::now(); now_ < end; now_ = clock_type::now()) {
      if (schedule_)
        send_what_is_due();
      turn(schedule_ ? std::min(schedule_->next_due(), end) : end);
    }
  }

  void turn(time_point until) {
    for (auto* who : std::exchange(dirty_, {})) {
      who->dirty = false;
      if (!who->blocked)
        flush(*who);
    }
    const auto left = std::chrono::nanoseconds{std::max(until - clock_type::now(), {})}.count();
    const timespec wait{.tv_sec = left / 1'000'000'000, .tv_nsec = left % 1'000'000'000};
    std::array<epoll_event, 256> events;
    const auto n = epoll_pwait2(epoll_, events.data(), int(events.size()), &wait, nullptr);
    now_ = clock_type::now();
    for (int i = 0; i < n; ++i) {
      auto& who = *static_cast<side*>(events[size_t(i)].data.ptr);
      if ((events[size_t(i)].events & EPOLLOUT) != 0)
        flush(who);
      if ((events[size_t(i)].events & ~uint32_t{EPOLLOUT}) != 0)
        take(who, receive(who));
    }
  }

  void flush(side& who) {
    const auto n = send(who.fd, who.unsent.data(), who.unsent.size(), MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN)
      fail("send");
    who.unsent.erase(0, static_cast<size_t>(std::max<ssize_t>(n, 0)));
    if (who.blocked == !who.unsent.empty())
      return;
    who.blocked = !who.blocked;
    epoll_event event{.events = EPOLLIN | (who.blocked ? uint32_t{EPOLLOUT} : 0),
                      .data = {.ptr = &who}};
    epoll_ctl(epoll_, EPOLL_CTL_MOD, who.fd, &event);
  }

  void take(side& who, std::span<const std::byte> in) {
    for (auto frame = who.frames.next(in); frame.what != frame_event::kind::none;
         frame = who.frames.next(in)) {
      if (frame.what == frame_event::kind::violation)
        throw std::runtime_error{std::string{frame.fault}};
      if (frame.what == frame_event::kind::control)
        throw std::runtime_error{"the server closed or pinged: " +
                                 std::string{as_text(frame.bytes)}};
      auto text = as_text(frame.bytes);
      for (auto said = who.reader.next(text); said != nats_reader::event::none;
           said = who.reader.next(text))
        hear(who, said);
    }
  }

  void hear(side& who, nats_reader::event said) {
    if (said == nats_reader::event::error)
      throw std::runtime_error{who.reader.error()};
    if (said == nats_reader::event::ping)
      queue(who, masked_frame("PONG\r\n"));
    if (said == nats_reader::event::pong)
      ready_ = true;
    if (said == nats_reader::event::message)
      take_message(who);
  }

  void take_message(side& who) {
    auto& total = result_.total;
    if (who.reader.size() != size_)
      total.faults.add(fault::corrupt,
                       fmt::format("pair {}: {} bytes", who.pair, who.reader.size()));
    total.now.bytes += size_;
    if (!who.is_client) {
      ++total.now.at_worker;
      return queue(who, who.message);
    }
    ++total.now.at_client;
    if (who.asked.empty())
      return total.faults.add(fault::duplicate, fmt::format("pair {}", who.pair));
    const auto when = who.asked.front();
    who.asked.pop_front();
    --total.now.outstanding;
    if (measuring_from_ && when >= *measuring_from_ && (!end_ || when < *end_))
      total.latency.record(nanoseconds(now_ - when));
    if (!schedule_ && !draining_)
      ask(who, now_);
  }

  // -- measuring

  void start_measuring() {
    measuring_from_ = clock_type::now();
    before_ = result_.total.now;
    result_.relay_from = relay();
    result_.tool_from = sample_process(getpid()).value();
  }

  void stop_measuring() {
    result_.elapsed = clock_type::now() - *measuring_from_;
    result_.measured = difference(result_.total.now, before_);
    result_.relay_until = relay();
    result_.tool_until = sample_process(getpid()).value();
  }

  void drain() {
    draining_ = true;
    const auto limit =
        clock_type::now() + std::chrono::duration_cast<clock_type::duration>(chosen_.drain_timeout);
    while (result_.total.now.outstanding > 0 && clock_type::now() < limit)
      turn(limit);
    if (const auto lost = result_.total.now.outstanding; lost > 0)
      result_.total.faults.add(fault::lost, "messages never came", lost);
  }

  const plan plan_;
  const options& chosen_;
  const uint64_t size_;
  int epoll_;
  std::optional<arrivals> schedule_;
  std::vector<std::unique_ptr<side>> sides_;
  std::vector<side*> dirty_;
  std::vector<std::byte> room_ = std::vector<std::byte>(size_t{256} << 10);
  report result_;
  counts before_;
  time_point now_;
  time_point begin_;
  std::optional<time_point> end_;
  std::optional<time_point> measuring_from_;
  bool ready_ = false;
  bool draining_ = false;
};

} // namespace

int main(int argc, char** argv) {
  try {
    const std::vector<std::string_view> arguments(argv + 1, argv + argc);
    auto parsed = parse_options(arguments);
    if (const auto* bad = std::get_if<bad_input>(&parsed))
      throw std::runtime_error{bad->text};
    nats_run run{std::get<options>(parsed)};
    const auto result = run.carry_out();
    fmt::print("{}\n", to_json(run.what(), result).dump(2));
    return result.is_good() ? 0 : 1;
  } catch (const std::exception& error) {
    fmt::print(stderr, "nats-bench: {}\n", error.what());
    return 1;
  }
}
