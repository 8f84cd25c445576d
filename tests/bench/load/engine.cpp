#include "tests/bench/load/engine.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <sys/prctl.h>
#include <utility>

namespace tandem::bench {

namespace {

/// What a slow worker may read comes in portions of that time.
constexpr auto pace_step = std::chrono::milliseconds{10};
/// How many messages an open loop may be behind. Each takes 8 bytes here.
constexpr uint64_t most_outstanding = 16'000'000;

clock::duration to_duration(seconds time) {
  return std::chrono::duration_cast<clock::duration>(time);
}

/// How many of `n` items fall to thread `index`, if item i falls to thread i % threads.
uint64_t share(uint64_t n, uint64_t index, uint64_t threads) {
  return (n - index + threads - 1) / threads;
}

} // namespace

void bell::ring() {
  {
    std::lock_guard guard{mutex_};
    ringing_ = true;
  }
  rung_.notify_one();
}

void bell::wait_until(clock::time_point deadline) {
  std::unique_lock lock{mutex_};
  rung_.wait_until(lock, deadline, [this] { return ringing_; });
  ringing_ = false;
}

/// Not the places that a round has left empty.
template <class Visit>
void engine::for_each_pair(Visit visit) {
  for (auto& each : pairs_)
    if (each)
      visit(*each);
}

engine::engine(const plan& run, uint64_t index, bell& conductor)
    : run_(run), index_(index), conductor_(conductor),
      dialer_(run.chosen.connect_concurrency, to_duration(run.chosen.connect_timeout)),
      context_{loop_, run, *this, total_, window_},
      pairs_(share(run.chosen.open_pairs(), index, run.chosen.threads)) {
  const auto& chosen = run.chosen;
  set_window(clock::time_point::max(), clock::time_point::max());
  if (chosen.rate) {
    auto part = static_cast<double>(pairs_.size()) / static_cast<double>(chosen.pairs);
    arrivals_.emplace(*chosen.rate * part, pairs_.size(), chosen.poisson, index + 1);
  }
  if (chosen.connect_rounds > 0)
    rounds_left_ =
        index < chosen.connect_rounds ? share(chosen.connect_rounds, index, chosen.threads) : 0;
  next_round_ = index;
}

engine::~engine() = default;

void engine::run() {
  // The kernel would otherwise round the schedule's waits up by 50 µs.
  prctl(PR_SET_TIMERSLACK, 1000UL, 0, 0, 0);
  open_pairs();
  for (;;) {
    if (auto wanted = wanted_.load(); wanted != phase_)
      begin(wanted);
    if (phase_ == phase::quitting)
      return;
    window_ = {clock::time_point{clock::duration{window_from_.load()}},
               clock::time_point{clock::duration{window_until_.load()}}};
    dialer_.pump();
    publish();
    // Before the wait: what ended the phase may have been the last thing to happen.
    tell_if_ended();
    loop_.turn(next_deadline());
    send_what_is_due();
    pace_workers();
    loop_.flush();
    follow_up_rounds();
  }
}

void engine::enter(phase next) noexcept {
  wanted_ = next;
  loop_.wake();
}

void engine::set_window(clock::time_point from, clock::time_point until) noexcept {
  window_from_ = from.time_since_epoch().count();
  window_until_ = until.time_since_epoch().count();
}

void engine::begin(phase next) {
  phase_ = next;
  switch (next) {
  case phase::connecting:
    break;
  case phase::running:
    start_pairs();
    break;
  case phase::draining:
    for_each_pair([](pair& each) { each.stop(); });
    break;
  case phase::closing:
    dialer_.forget_queue();
    for_each_pair([](pair& each) { each.close(); });
    break;
  case phase::quitting:
    dialer_.forget_queue();
    for_each_pair([](pair& each) { each.drop(); });
    follow_up_rounds();
    for_each_pair([](pair& each) { each.finish(); });
    break;
  }
}

void engine::open_pairs() {
  if (run_.chosen.connect_rounds > 0)
    return;
  for (size_t i = 0; i < pairs_.size(); ++i) {
    pairs_[i] = std::make_unique<pair>(context_, index_ + i * run_.chosen.threads);
    pairs_[i]->open();
  }
}

void engine::start_pairs() {
  paced_at_ = clock::now();
  if (run_.chosen.connect_rounds > 0) {
    for (auto& slot : pairs_)
      begin_round(slot);
  } else if (run_.chosen.rate) {
    // The threads' schedules are interleaved, as one thread's would be.
    auto phase_shift = seconds{static_cast<double>(index_) / *run_.chosen.rate};
    arrivals_->start(clock::now() + to_duration(phase_shift));
  }
  if (run_.chosen.connect_rounds == 0 && run_.chosen.idle == 0)
    for_each_pair([](pair& each) { each.start(); });
}

void engine::begin_round(std::unique_ptr<pair>& slot) {
  if (rounds_left_ == 0) {
    ++over_;
    return;
  }
  --rounds_left_;
  slot = std::make_unique<pair>(context_, next_round_);
  next_round_ += run_.chosen.threads;
  slot->open();
}

/// Puts the next round in the place of each that is over. Broken ones keep their place: if the
/// relay is gone, all rounds to come would fail the same way.
void engine::follow_up_rounds() {
  for (auto* over : std::exchange(rounds_over_, {})) {
    auto slot = std::find_if(pairs_.begin(), pairs_.end(),
                             [over](const auto& pair) { return pair.get() == over; });
    over->finish();
    slot->reset();
    if (phase_ == phase::running) {
      --over_;
      begin_round(*slot);
    }
  }
}

void engine::dial(connection& who, connection::dial_options options) {
  dialer_.add(who, std::move(options));
}

void engine::on_settled(connection& who) {
  dialer_.settle(who);
}

void engine::on_ready(pair& who) {
  ++settled_;
  if (run_.chosen.connect_rounds > 0)
    who.start();
}

void engine::on_complete(pair& who) {
  if (!who.is_broken())
    ++done_;
  if (run_.chosen.connect_rounds > 0) {
    ++total_.now.rounds;
    total_.round.record(static_cast<uint64_t>((loop_.now() - who.opened()).count()));
    who.close();
  }
}

void engine::on_broken(pair& who) {
  if (!who.was_ready())
    ++settled_;
  if (!who.is_complete())
    ++done_;
}

void engine::on_over(pair& who) {
  ++over_;
  if (run_.chosen.connect_rounds > 0 && !who.is_broken())
    rounds_over_.push_back(&who);
}

void engine::send_what_is_due() {
  if (phase_ != phase::running || !arrivals_ || overloaded_)
    return;
  auto now = clock::now();
  while (arrivals_->next_due() <= now) {
    auto [pair, due] = arrivals_->take();
    total_.lag.record(static_cast<uint64_t>((now - due).count()));
    pairs_[pair]->schedule(due);
  }
  if (total_.now.outstanding > most_outstanding) {
    overloaded_ = true;
    total_.faults.add(
        fault::stalled,
        fmt::format("{} messages are due and unanswered: the relay is slower than --rate",
                    total_.now.outstanding));
  }
}

void engine::pace_workers() {
  auto rate = static_cast<double>(run_.chosen.worker_read_rate);
  if (rate == 0 || phase_ != phase::running)
    return;
  auto now = clock::now();
  if (now - paced_at_ < pace_step)
    return;
  auto time = std::chrono::duration_cast<seconds>(now - std::exchange(paced_at_, now));
  for_each_pair([&](pair& each) { each.let_read(rate * time.count()); });
}

clock::time_point engine::next_deadline() const {
  auto deadline = std::min(dialer_.deadline(), clock::now() + std::chrono::seconds{1});
  if (phase_ != phase::running)
    return deadline;
  if (arrivals_ && !overloaded_)
    deadline = std::min(deadline, arrivals_->next_due());
  if (run_.chosen.worker_read_rate > 0)
    deadline = std::min(deadline, paced_at_ + pace_step);
  return deadline;
}

void engine::publish() noexcept {
  const auto& now = total_.now;
  const std::array values{now.at_worker, now.at_client, now.bytes,
                          now.opened,    now.rounds,    now.outstanding};
  for (size_t i = 0; i < values.size(); ++i)
    published_[i].store(values[i], std::memory_order_relaxed);
}

counts engine::so_far() const noexcept {
  auto value = [this](size_t i) { return published_[i].load(std::memory_order_relaxed); };
  return {.at_worker = value(0),
          .at_client = value(1),
          .bytes = value(2),
          .opened = value(3),
          .rounds = value(4),
          .outstanding = value(5)};
}

void engine::tell_if_ended() {
  if (has_ended(phase_) || !is_at_end_of(phase_))
    return;
  ended_ = static_cast<int>(phase_);
  conductor_.ring();
}

bool engine::is_at_end_of(phase which) const {
  auto rounds = run_.chosen.connect_rounds > 0;
  switch (which) {
  case phase::connecting:
    return rounds || settled_ == pairs_.size();
  case phase::running:
    return overloaded_ || (rounds ? over_ == pairs_.size() : done_ == pairs_.size());
  case phase::draining:
    return rounds ? over_ == pairs_.size() : total_.now.outstanding == 0;
  case phase::closing:
    return over_ == pairs_.size();
  case phase::quitting:
    return true;
  }
  return true;
}

} // namespace tandem::bench
