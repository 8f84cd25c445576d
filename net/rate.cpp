#include "net/rate.hpp"

#include <algorithm>

namespace tandem::net {

namespace {

using clock = token_bucket::clock;

/// How long `n` tokens take to come.
clock::duration time_for(const rate& limit, uint64_t n) noexcept {
  const auto seconds = static_cast<double>(n) / static_cast<double>(limit.per_second);
  return std::chrono::ceil<clock::duration>(std::chrono::duration<double>{seconds});
}

} // namespace

bool token_bucket::take(const rate& limit, clock::time_point now) noexcept {
  const auto one = time_for(limit, 1);
  const auto next = std::max(full_at_, now) + one;
  if (next - now > std::max<clock::duration>(limit.burst, one))
    return false;
  full_at_ = next;
  return true;
}

clock::duration token_bucket::charge(const rate& limit, uint64_t n,
                                     clock::time_point now) noexcept {
  full_at_ = std::max(full_at_, now) + time_for(limit, n);
  return std::max(full_at_ - now - limit.burst, clock::duration::zero());
}

} // namespace tandem::net
