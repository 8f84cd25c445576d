/// What went wrong in a run: counted by kind, with the first few in words.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tandem::bench {

/// All that can go wrong on the relay's side.
enum class fault : uint8_t {
  /// A connection couldn't be made, or its handshake was refused.
  connect,
  /// A connection ended though nobody had asked it to.
  ended,
  /// The relay broke RFC 6455.
  protocol,
  /// A message with bytes, or a length, that nobody sent.
  corrupt,
  /// Text came as binary, or binary as text.
  opcode,
  /// A message came before, or after, its turn.
  order,
  /// A message came twice, or one that nobody sent.
  duplicate,
  /// A message never came.
  lost,
  /// The relay stood still, or fell hopelessly behind.
  stalled,
};

inline constexpr size_t fault_kinds = 9;

/// The fault's name in reports.
std::string_view to_string(fault kind) noexcept;

/// Counts all and keeps the text of the first ones of each kind, so that a million faults of one
/// kind don't hide the one of another that explains them.
class fault_log {
public:
  static constexpr size_t texts_per_kind = 5;

  /// Counts `times` faults. `text` says what and where.
  void add(fault kind, std::string text, uint64_t times = 1);

  /// Adds all that `other` has.
  void merge(const fault_log& other);

  uint64_t count(fault kind) const noexcept;
  const std::vector<std::string>& texts(fault kind) const noexcept;
  uint64_t total() const noexcept;

private:
  struct record {
    uint64_t count = 0;
    std::vector<std::string> texts;
  };

  std::array<record, fault_kinds> records_;
};

} // namespace tandem::bench
