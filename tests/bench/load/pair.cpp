#include "tests/bench/load/pair.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace tandem::bench {

namespace {

/// The kernel would grow a slow worker's buffer to megabytes and hide its slowness from the relay.
constexpr int slow_worker_buffer = 64 * 1024;

uint64_t nanoseconds(clock::duration time) noexcept {
  return static_cast<uint64_t>(std::max(time, clock::duration::zero()).count());
}

} // namespace

pair::pair(const pair_context& context, uint64_t number)
    : context_(context), number_(number), quota_(context.run.quota_of(number)),
      id_(fmt::format("{}-{}", context.run.run_id, number)), client_(context.loop, *this),
      worker_(context.loop, *this), to_worker_(context.run.messages, number, direction::to_worker),
      to_client_(context.run.messages, number, direction::to_client),
      at_worker_(context.run.messages, number, direction::to_worker, context.run.chosen.verify,
                 context.total.faults),
      at_client_(context.run.messages, number, direction::to_client, context.run.chosen.verify,
                 context.total.faults) {}

connection& pair::first() {
  return context_.run.chosen.client_first ? client_ : worker_;
}

connection& pair::second() {
  return context_.run.chosen.client_first ? worker_ : client_;
}

void pair::open() {
  opened_ = clock::now();
  dial(first());
}

void pair::dial(connection& who) {
  auto is_client = &who == &client_;
  const auto& chosen = context_.run.chosen;
  auto slow = !is_client && chosen.worker_read_rate > 0;
  context_.host.dial(who, {.where = is_client ? &context_.run.client : &context_.run.worker,
                           .id = id_,
                           .ordinal = number_ * 2 + (is_client ? 1 : 0),
                           .receive_buffer = slow ? slow_worker_buffer : 0,
                           .paced = slow,
                           .compressed = chosen.compressed});
}

void pair::start() {
  if (broken_)
    return;
  running_ = true;
  if (is_complete())
    context_.host.on_complete(*this);
  else
    client_.want_write();
}

void pair::schedule(clock::time_point when) {
  if (broken_ || scheduled_ == quota_)
    return;
  ++scheduled_;
  begin(when);
  client_.want_write();
}

void pair::let_read(double bytes) {
  may_read_ += bytes;
  while (may_read_ >= 1) {
    auto n = worker_.read_at_most(static_cast<size_t>(may_read_));
    may_read_ -= static_cast<double>(n);
    if (n == 0) {
      // What a worker had nothing to do with is not saved up beyond this.
      may_read_ = std::min(may_read_, bytes);
      return;
    }
  }
}

void pair::stop() {
  running_ = false;
  worker_.read_freely();
}

void pair::close() {
  closing_ = true;
  client_.close();
  worker_.close();
}

void pair::drop() {
  closing_ = true;
  client_.drop();
  worker_.drop();
}

void pair::finish() {
  auto now = clock::now();
  for (auto stamp : stamps_)
    if (context_.window.covers(stamp))
      context_.total.latency.record(nanoseconds(now - stamp));
  if (scheduled_ > to_worker_.started()) {
    auto unsent = scheduled_ - to_worker_.started();
    context_.total.faults.add(
        fault::stalled,
        fmt::format("pair {}: {} messages were due, but could not be sent", number_, unsent),
        unsent);
  }
  at_worker_.finish(to_worker_.started());
  at_client_.finish(context_.run.chosen.one_way ? 0 : to_client_.started());
  for (const auto* end : {&client_, &worker_}) {
    const auto& pings = end->pings();
    context_.total.pings.merge({.connections = 1,
                                .total = pings.count,
                                .fewest = pings.count,
                                .most = pings.count,
                                .longest_gap = nanoseconds(pings.longest_gap)});
  }
}

void pair::on_open(connection& who) {
  ++context_.total.now.opened;
  context_.total.handshake.record(nanoseconds(clock::now() - who.dialed()));
  context_.host.on_settled(who);
  if (closing_)
    who.close();
  else if (&who == &first())
    dial(second());
  else if (first().is_open())
    become_ready();
}

void pair::become_ready() {
  ready_ = true;
  context_.host.on_ready(*this);
}

void pair::on_piece(connection& who, const frame_event& piece) {
  auto& now = context_.total.now;
  now.bytes += piece.bytes.size();
  if (&who == &client_) {
    if (at_client_.take(piece)) {
      ++now.at_client;
      if (!context_.run.chosen.one_way)
        complete();
    }
  } else if (at_worker_.take(piece)) {
    ++now.at_worker;
    if (context_.run.chosen.one_way)
      complete();
    else
      worker_.want_write();
  }
}

size_t pair::produce(connection& who, std::span<std::byte> room, bool& more) {
  if (&who == &client_)
    return produce_requests(room, more);
  auto answers = context_.run.chosen.one_way ? 0 : at_worker_.received();
  auto n = to_client_.fill(room, answers);
  more = more || to_client_.has_more(answers);
  return n;
}

size_t pair::produce_requests(std::span<std::byte> room, bool& more) {
  auto before = to_worker_.started();
  auto n = to_worker_.fill(room, limit());
  if (!context_.run.chosen.rate)
    for (auto i = before; i < to_worker_.started(); ++i)
      begin(context_.loop.now());
  more = more || to_worker_.has_more(limit());
  return n;
}

bool pair::between_frames(const connection& who) const {
  return (&who == &client_ ? to_worker_ : to_client_).between_frames();
}

uint64_t pair::limit() const noexcept {
  if (context_.run.chosen.rate)
    return scheduled_;
  if (!running_)
    return to_worker_.started();
  auto window = context_.run.chosen.window();
  return window == 0 ? quota_ : std::min(quota_, completed_ + window);
}

void pair::begin(clock::time_point when) {
  stamps_.push_back(when);
  ++context_.total.now.outstanding;
}

void pair::complete() {
  // More messages than were sent; `finish` will report them.
  if (stamps_.empty())
    return;
  auto stamp = stamps_.front();
  stamps_.pop_front();
  ++completed_;
  if (!broken_)
    --context_.total.now.outstanding;
  if (context_.window.covers(stamp))
    context_.total.latency.record(nanoseconds(context_.loop.now() - stamp));
  if (to_worker_.has_more(limit()))
    client_.want_write();
  if (completed_ == quota_)
    context_.host.on_complete(*this);
}

void pair::on_end(connection& who, const ending& how) {
  context_.host.on_settled(who);
  if (!closing_)
    break_up(who, how);
  if (!client_.is_live() && !worker_.is_live() && !std::exchange(over_, true))
    context_.host.on_over(*this);
}

void pair::break_up(const connection& who, const ending& how) {
  auto kind = how.what == ending::kind::unopened    ? fault::connect
              : how.what == ending::kind::violation ? fault::protocol
                                                    : fault::ended;
  context_.total.faults.add(kind, fmt::format("{}: {}", name_of(who), how.text));
  running_ = false;
  if (std::exchange(broken_, true))
    return;
  // They can't be waited for any more.
  context_.total.now.outstanding -= stamps_.size();
  context_.host.on_broken(*this);
  // A pair that never was has no other end worth keeping.
  if (!ready_)
    close();
}

std::string pair::name_of(const connection& who) const {
  return fmt::format("pair {}, {} {}", number_, &who == &client_ ? "client" : "worker", id_);
}

} // namespace tandem::bench
