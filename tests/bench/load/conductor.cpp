#include "tests/bench/load/conductor.hpp"

#include "tests/bench/load/engine.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <thread>
#include <unistd.h>
#include <vector>

namespace tandem::bench {

namespace {

/// How long a relay may take to answer a close before it is left.
constexpr seconds close_timeout{3};
constexpr auto glance = std::chrono::milliseconds{200};

clock::time_point after(seconds time) {
  return clock::now() + std::chrono::duration_cast<clock::duration>(time);
}

/// The moments at which a run is measured.
struct snapshot {
  clock::time_point when;
  counts so_far;
  std::optional<process_sample> relay;
  process_sample tool;
};

/// Tells a relay that stands still from one that has nothing to do.
class stall_watch {
public:
  explicit stall_watch(seconds patience) : patience_(patience) {}

  bool is_stalled(const counts& now, bool something_is_due) {
    auto sum = now.bytes + now.forwarded() + now.opened + now.rounds;
    if (sum != last_sum_ || !something_is_due) {
      last_sum_ = sum;
      since_ = clock::now();
    }
    return clock::now() - since_ > patience_;
  }

private:
  seconds patience_;
  uint64_t last_sum_ = 0;
  clock::time_point since_ = clock::now();
};

/// The threads of a run and what they are told to do.
class conductor {
public:
  conductor(const plan& run, progress& bar, const std::atomic<bool>& interrupted);
  ~conductor();
  conductor(const conductor&) = delete;
  conductor& operator=(const conductor&) = delete;

  report conduct();

private:
  void load(report& result);
  void finish(report& result);
  void enter(phase next);
  void set_window(clock::time_point from, clock::time_point until);
  bool await(phase which, std::string_view name, clock::time_point deadline);
  bool have_ended(phase which) const;
  bool is_stuck(const counts& now);
  void show(phase which, std::string_view name, double fraction, const counts& now);
  counts so_far() const;
  snapshot take_snapshot() const;
  std::optional<process_sample> sample_relay() const;

  const plan& run_;
  progress& bar_;
  const std::atomic<bool>& interrupted_;
  bell bell_;
  std::vector<std::unique_ptr<engine>> engines_;
  std::vector<std::thread> threads_;
  stall_watch stall_;
  fault_log faults_;
  bool stuck_ = false;
};

conductor::conductor(const plan& run, progress& bar, const std::atomic<bool>& interrupted)
    : run_(run), bar_(bar), interrupted_(interrupted), stall_(run.chosen.stall_timeout) {
  for (uint64_t i = 0; i < run.chosen.threads; ++i)
    engines_.push_back(std::make_unique<engine>(run, i, bell_));
}

conductor::~conductor() {
  enter(phase::quitting);
  for (auto& thread : threads_)
    if (thread.joinable())
      thread.join();
}

report conductor::conduct() {
  report result;
  result.relay_before = sample_relay();
  for (auto& engine : engines_)
    threads_.emplace_back([&engine] { engine->run(); });
  // The dialer ends that phase by itself.
  if (await(phase::connecting, "connecting", clock::time_point::max()))
    load(result);
  finish(result);
  return result;
}

void conductor::load(report& result) {
  const auto& chosen = run_.chosen;
  if (chosen.warm_up > seconds{0}) {
    enter(phase::running);
    await(phase::running, "warming up", after(chosen.warm_up));
  }
  auto from = take_snapshot();
  set_window(from.when, clock::time_point::max());
  enter(phase::running);
  await(phase::running, chosen.idle > 0 ? "holding" : "measuring", after(chosen.time_limit()));
  auto until = take_snapshot();
  set_window(from.when, until.when);
  result.measured = difference(until.so_far, from.so_far);
  result.elapsed = until.when - from.when;
  result.relay_from = from.relay;
  result.relay_until = until.relay;
  result.tool_from = from.tool;
  result.tool_until = until.tool;
  enter(phase::draining);
  await(phase::draining, "draining", after(chosen.drain_timeout));
}

void conductor::finish(report& result) {
  enter(phase::closing);
  await(phase::closing, "closing", after(close_timeout));
  enter(phase::quitting);
  for (auto& thread : threads_)
    thread.join();
  for (const auto& engine : engines_)
    result.total.merge(engine->result());
  result.total.faults.merge(faults_);
  if (run_.chosen.pid > 0 && !result.relay_until)
    result.total.faults.add(fault::ended,
                            fmt::format("there is no process {} any more", run_.chosen.pid));
  result.interrupted = interrupted_;
}

void conductor::enter(phase next) {
  for (auto& engine : engines_)
    engine->enter(next);
}

void conductor::set_window(clock::time_point from, clock::time_point until) {
  for (auto& engine : engines_)
    engine->set_window(from, until);
}

/// True if the phase ended before `deadline`, and neither the user nor the relay's silence put an
/// end to the run.
bool conductor::await(phase which, std::string_view name, clock::time_point deadline) {
  auto began = clock::now();
  while (!have_ended(which)) {
    auto now = clock::now();
    auto counted = so_far();
    if (now >= deadline || (which < phase::closing && (interrupted_ || is_stuck(counted))))
      return false;
    auto whole = std::chrono::duration_cast<seconds>(deadline - began).count();
    show(which, name, std::chrono::duration_cast<seconds>(now - began).count() / whole, counted);
    bell_.wait_until(std::min(deadline, now + glance));
  }
  return true;
}

bool conductor::have_ended(phase which) const {
  return std::all_of(engines_.begin(), engines_.end(),
                     [which](const auto& engine) { return engine->has_ended(which); });
}

bool conductor::is_stuck(const counts& now) {
  const auto& chosen = run_.chosen;
  auto due = now.outstanding > 0 || (chosen.connect_rounds > 0 && have_ended(phase::connecting));
  if (!stuck_ && stall_.is_stalled(now, due)) {
    stuck_ = true;
    faults_.add(fault::stalled, fmt::format("nothing came for {:g} s, with {} messages under way",
                                            chosen.stall_timeout.count(), now.outstanding));
  }
  return stuck_;
}

void conductor::show(phase which, std::string_view name, double fraction, const counts& now) {
  const auto& chosen = run_.chosen;
  auto connections = static_cast<double>(chosen.open_pairs() * 2);
  auto opened = static_cast<double>(now.opened);
  if (which == phase::connecting)
    return bar_.show(name, opened / connections, fmt::format("{} connections", now.opened));
  if (chosen.connect_rounds > 0)
    return bar_.show(name,
                     static_cast<double>(now.rounds) / static_cast<double>(chosen.connect_rounds),
                     fmt::format("{} rounds", now.rounds));
  if (which == phase::running && chosen.messages > 0)
    fraction = std::max(fraction,
                        static_cast<double>(now.at_worker) / static_cast<double>(chosen.messages));
  bar_.show(name, fraction, fmt::format("{} messages", now.forwarded()));
}

counts conductor::so_far() const {
  counts sum;
  for (const auto& engine : engines_)
    sum += engine->so_far();
  return sum;
}

snapshot conductor::take_snapshot() const {
  auto tool = sample_process(getpid()).value_or(process_sample{});
  auto relay = sample_relay();
  return {.when = clock::now(), .so_far = so_far(), .relay = relay, .tool = tool};
}

std::optional<process_sample> conductor::sample_relay() const {
  return run_.chosen.pid > 0 ? sample_process(run_.chosen.pid) : std::nullopt;
}

} // namespace

report conduct(const plan& run, progress& bar, const std::atomic<bool>& interrupted) {
  return conductor{run, bar, interrupted}.conduct();
}

} // namespace tandem::bench
