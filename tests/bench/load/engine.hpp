/// One thread of a run: its pairs, its epoll set, its part of the schedule.
#pragma once

#include "tests/bench/load/arrivals.hpp"
#include "tests/bench/load/dialer.hpp"
#include "tests/bench/load/pair.hpp"

#include <array>
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace tandem::bench {

/// The stages of a run, in their order.
enum class phase : uint8_t {
  /// Connections are made. Ends when none is left to be made.
  connecting,
  /// Messages are sent. Ends by itself if there is a bound on their number, or nobody left to send
  /// any.
  running,
  /// What is under way arrives. Ends when all has.
  draining,
  /// Connections are closed. Ends when all are.
  closing,
  /// The thread returns.
  quitting,
};

/// Wakes the run's conductor when a thread has something to tell.
class bell {
public:
  void ring();
  /// Waits for a ring, or until `deadline`.
  void wait_until(clock::time_point deadline);

private:
  std::mutex mutex_;
  std::condition_variable rung_;
  bool ringing_ = false;
};

class engine final : private pair_host {
public:
  /// Number `index` of `chosen.threads`. `run` and `conductor` must outlive it.
  engine(const plan& run, uint64_t index, bell& conductor);
  ~engine() override;

  /// Works until the phase is `quitting`.
  void run();

  /// Moves on to `next`, which is later than the present phase.
  void enter(phase next) noexcept;

  /// True if `which`, or a later phase, has ended.
  bool has_ended(phase which) const noexcept { return ended_.load() >= static_cast<int>(which); }

  /// Messages count that are sent from `from` on, and before `until`.
  void set_window(clock::time_point from, clock::time_point until) noexcept;

  /// What was counted up to the latest turn.
  counts so_far() const noexcept;

  /// What was found out. After `run` has returned.
  const tally& result() const noexcept { return total_; }

private:
  void dial(connection& who, connection::dial_options options) override;
  void on_settled(connection& who) override;
  void on_ready(pair& who) override;
  void on_complete(pair& who) override;
  void on_broken(pair& who) override;
  void on_over(pair& who) override;

  template <class Visit>
  void for_each_pair(Visit visit);

  void begin(phase next);
  void open_pairs();
  void start_pairs();
  void begin_round(std::unique_ptr<pair>& slot);
  void follow_up_rounds();
  void send_what_is_due();
  void pace_workers();
  clock::time_point next_deadline() const;
  void publish() noexcept;
  void tell_if_ended();
  bool is_at_end_of(phase which) const;

  const plan& run_;
  uint64_t index_;
  bell& conductor_;
  reactor loop_;
  dialer dialer_;
  tally total_;
  time_window window_;
  pair_context context_;
  std::vector<std::unique_ptr<pair>> pairs_;
  std::optional<arrivals> arrivals_;

  phase phase_ = phase::connecting;
  /// Pairs that were open, or broke before they were.
  uint64_t settled_ = 0;
  /// Pairs that exchanged all that they were to, or broke before they had.
  uint64_t done_ = 0;
  uint64_t over_ = 0;
  bool overloaded_ = false;
  clock::time_point paced_at_;
  /// Of --connect-rounds: those yet to begin, the next one's number, and the pairs whose round is
  /// over.
  uint64_t rounds_left_ = 0;
  uint64_t next_round_ = 0;
  std::vector<pair*> rounds_over_;

  std::atomic<phase> wanted_{phase::connecting};
  std::atomic<int> ended_{-1};
  std::atomic<clock::rep> window_from_;
  std::atomic<clock::rep> window_until_;
  std::array<std::atomic<uint64_t>, 6> published_{};
};

} // namespace tandem::bench
