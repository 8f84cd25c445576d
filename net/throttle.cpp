#include "net/throttle.hpp"

#include <algorithm>

namespace tandem::net {

namespace {

constexpr size_t least_read = 64;
constexpr size_t most_read = size_t{256} << 10;

} // namespace

throttle::clock::duration throttle::charge(const throttle_limits& limits, uint64_t bytes,
                                           uint64_t messages, clock::time_point now) noexcept {
  auto pause = clock::duration::zero();
  if (limits.messages)
    pause = messages_.charge(limits.messages, messages, now);
  if (limits.bytes)
    pause = std::max(pause, bytes_.charge(limits.bytes, bytes, now));
  if (pause > clock::duration::zero())
    read_size_ = std::max(read_size_ / 2, least_read);
  else if (bytes >= read_size_)
    read_size_ = std::min(read_size_ * 2, most_read);
  return pause;
}

} // namespace tandem::net
