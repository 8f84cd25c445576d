/// A client and a worker that talk to each other through the relay.
#pragma once

#include "tests/bench/load/connection.hpp"
#include "tests/bench/load/message_writer.hpp"
#include "tests/bench/load/plan.hpp"
#include "tests/bench/load/tally.hpp"
#include "tests/bench/load/verifier.hpp"

#include <deque>
#include <limits>

namespace tandem::bench {

class pair;

/// What a pair asks of, and tells, the thread that runs it.
class pair_host {
public:
  virtual ~pair_host() = default;

  /// Asks for a place among the connections that are being made.
  virtual void dial(connection& who, connection::dial_options options) = 0;

  /// A dialled connection is open, or over.
  virtual void on_settled(connection& who) = 0;

  /// Both ends are open.
  virtual void on_ready(pair& who) = 0;

  /// All messages that the pair was to exchange have come to their end.
  virtual void on_complete(pair& who) = 0;

  /// An end closed, or couldn't be opened, against the tool's will. Once per pair.
  virtual void on_broken(pair& who) = 0;

  /// Neither end is open, nor will be. `who` must not be destroyed before the reactor's turn is
  /// over.
  virtual void on_over(pair& who) = 0;
};

/// The time in which messages must have been sent to count.
struct time_window {
  clock::time_point from = clock::time_point::max();
  clock::time_point until = clock::time_point::max();

  bool covers(clock::time_point when) const noexcept { return from <= when && when < until; }
};

/// What the pairs of a thread have in common. Outlives them.
struct pair_context {
  reactor& loop;
  const plan& run;
  pair_host& host;
  tally& total;
  const time_window& window;
};

/// Sends, answers, checks and times the messages of one pair.
class pair final : private connection_owner {
public:
  pair(const pair_context& context, uint64_t number);

  /// Connects one end, and when that is open the other.
  void open();

  /// Lets the client send.
  void start();

  /// Makes the client of an open loop send a message that is due at `when`.
  void schedule(clock::time_point when);

  /// Lets a paced worker read `bytes` more.
  void let_read(double bytes);

  /// Begins no more messages, and lets a paced worker read as fast as it can.
  void stop();

  /// Closes both ends as RFC 6455 has it.
  void close();

  /// Closes both ends at once.
  void drop();

  /// Reports what never came, and what the pair's connections saw. The last call.
  void finish();

  /// Both ends were open, though they may have been closed since.
  bool was_ready() const noexcept { return ready_; }
  bool is_complete() const noexcept { return completed_ >= quota_; }
  bool is_broken() const noexcept { return broken_; }
  bool is_over() const noexcept { return over_; }
  /// Since the first of its two connects.
  clock::time_point opened() const noexcept { return opened_; }

private:
  void on_open(connection& who) override;
  void on_piece(connection& who, const frame_event& piece) override;
  size_t produce(connection& who, std::span<std::byte> room, bool& more) override;
  bool between_frames(const connection& who) const override;
  void on_end(connection& who, const ending& how) override;

  connection& first();
  connection& second();
  void dial(connection& who);
  void become_ready();
  size_t produce_requests(std::span<std::byte> room, bool& more);
  /// The number of the first message that must not be begun yet.
  uint64_t limit() const noexcept;
  void begin(clock::time_point when);
  void complete();
  void break_up(const connection& who, const ending& how);
  std::string name_of(const connection& who) const;

  pair_context context_;
  uint64_t number_;
  uint64_t quota_;
  std::string id_;
  connection client_;
  connection worker_;
  message_writer to_worker_;
  message_writer to_client_;
  verifier at_worker_;
  verifier at_client_;
  bool ready_ = false;
  bool running_ = false;
  bool closing_ = false;
  bool broken_ = false;
  bool over_ = false;
  clock::time_point opened_;
  uint64_t scheduled_ = 0;
  uint64_t completed_ = 0;
  double may_read_ = 0;
  /// When the messages that are under way were sent, or due.
  std::deque<clock::time_point> stamps_;
};

} // namespace tandem::bench
