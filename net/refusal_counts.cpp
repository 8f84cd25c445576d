#include "net/refusal_counts.hpp"

namespace tandem::net {

uint64_t refusal_counts::total() const noexcept {
  uint64_t sum = 0;
  for (const auto& count : counts_)
    sum += count.load(std::memory_order_relaxed);
  return sum;
}

std::string to_string(const refusal_counts& x) {
  std::string text;
  for (uint8_t i = 0; i < refusal_count; ++i) {
    const auto why = static_cast<refusal>(i);
    if (auto count = x.of(why); count > 0)
      text.append(text.empty() ? "" : " ")
          .append(describe(why).name)
          .append("=")
          .append(std::to_string(count));
  }
  return text;
}

} // namespace tandem::net
