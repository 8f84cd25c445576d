/// The sizes of a run's messages.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tandem::bench {

/// A function from pair and sequence number to a size in bytes, so that both ends know every size
/// without a word between them.
class size_mix {
public:
  /// Always `size` bytes.
  explicit size_mix(uint64_t size);

  /// Reads `128` (always that), `1,125,126` (in turns) or `1-1000000` (the two ends first, then
  /// pseudo-random, each power of two as likely as the next). Nothing if `text` is none of them.
  static std::optional<size_mix> parse(std::string_view text);

  /// Size of message `sequence` of `pair`, in bytes.
  uint64_t at(uint64_t pair, uint64_t sequence) const noexcept;

  /// The least count of messages, from the first on, whose sizes add up to `bytes`.
  uint64_t messages_for(uint64_t pair, uint64_t bytes) const noexcept;

  /// No message is smaller than the one, or larger than the other.
  uint64_t least() const noexcept { return *std::min_element(sizes_.begin(), sizes_.end()); }
  uint64_t most() const noexcept { return *std::max_element(sizes_.begin(), sizes_.end()); }

  /// As it would be given on the command line.
  std::string text() const;

  friend bool operator==(const size_mix&, const size_mix&) = default;

private:
  uint64_t drawn(uint64_t pair, uint64_t sequence) const noexcept;

  /// The turns; two entries, lowest and highest, for a range.
  std::vector<uint64_t> sizes_;
  bool range_ = false;
};

} // namespace tandem::bench
