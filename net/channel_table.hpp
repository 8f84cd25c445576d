/// Finds channels by their numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tandem::net {

class channel;

/// Gives numbers to channels, from 1 up and none again before all others, and finds them by these
/// without hashing: a number has its place in a table, and those whose place is taken are passed
/// over. Belongs to one thread.
class channel_table {
public:
  /// Null for a number that no channel has.
  channel* find(uint32_t number) const noexcept {
    const auto& place = places_[number & (places_.size() - 1)];
    return place.number == number ? place.at : nullptr;
  }

  /// Gives a new channel its number.
  uint32_t add(channel& x);

  void remove(uint32_t number) noexcept;

  /// False if no channel ever had this number.
  bool was_given(uint32_t number) const noexcept {
    return number != 0 && (number < next_ || wrapped_);
  }

  size_t size() const noexcept { return size_; }

private:
  struct place {
    uint32_t number = 0;
    channel* at = nullptr;
  };

  void grow();

  /// A power of two, at least twice as many as there are channels.
  std::vector<place> places_ = std::vector<place>(2);
  size_t size_ = 0;
  uint32_t next_ = 1;
  bool wrapped_ = false;
};

} // namespace tandem::net
