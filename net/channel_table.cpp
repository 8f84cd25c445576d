#include "net/channel_table.hpp"

#include <utility>

namespace tandem::net {

uint32_t channel_table::add(channel& x) {
  if (++size_ * 2 > places_.size())
    grow();
  for (;;) {
    const auto number = next_++;
    if (next_ == 0) {
      next_ = 1;
      wrapped_ = true;
    }
    auto& place = places_[number & (places_.size() - 1)];
    if (number == 0 || place.at != nullptr)
      continue;
    place = {number, &x};
    return number;
  }
}

void channel_table::remove(uint32_t number) noexcept {
  if (find(number) == nullptr)
    return;
  places_[number & (places_.size() - 1)] = {};
  --size_;
}

/// Numbers that differ in their lower bits differ in more of them, too.
void channel_table::grow() {
  std::vector<place> larger(places_.size() * 2);
  for (const auto& x : std::exchange(places_, {}))
    if (x.at != nullptr)
      larger[x.number & (larger.size() - 1)] = x;
  places_ = std::move(larger);
}

} // namespace tandem::net
