/// Checks that what arrives at one end is what the other end sent: every byte, each once, in order.
#pragma once

#include "tests/bench/load/fault_log.hpp"
#include "tests/bench/load/frame_reader.hpp"
#include "tests/bench/load/payload.hpp"

#include <array>
#include <optional>
#include <set>
#include <string>

namespace tandem::bench {

/// Counts the messages of one direction of a pair and, if told to, compares them with the script as
/// their pieces come. A message that isn't the expected one is looked for among its neighbours, so
/// that a loss is told from a repetition, a swap and a damaged message.
class verifier {
public:
  /// `what` and `log` must outlive it. With `check` false it only counts.
  verifier(const script& what, uint64_t pair, direction way, bool check, fault_log& log);

  /// Takes an event of the kind `piece`; true if a message ends with it.
  bool take(const frame_event& piece);

  /// Tells the log of the messages before number `sent` that never came.
  void finish(uint64_t sent);

  /// Whole messages that came, whether right or wrong.
  uint64_t received() const noexcept { return received_; }

private:
  void check_piece(const frame_event& piece);
  void check_end(net::opcode op);
  void identify();
  std::optional<uint64_t> recognise() const;
  bool looks_like(uint64_t sequence) const;
  void skip_to(uint64_t sequence);
  void take_late(uint64_t sequence);
  std::string where() const;

  const script* script_;
  fault_log* log_;
  uint64_t pair_;
  direction way_;
  bool check_;
  uint64_t received_ = 0;
  /// The number of the message that is due.
  uint64_t expected_ = 0;
  /// Numbers below `expected_` that haven't come, as far as `most_missing` goes.
  std::set<uint64_t> missing_;
  uint64_t missing_uncounted_ = 0;
  /// The message at hand: what is due, bytes so far, its first wrong byte and its first bytes.
  payload due_;
  uint64_t offset_ = 0;
  std::optional<uint64_t> difference_;
  std::array<std::byte, 32> beginning_{};
};

} // namespace tandem::bench
