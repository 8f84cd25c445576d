#include "tests/bench/load/arrivals.hpp"

namespace tandem::bench {

arrivals::arrivals(double rate, uint64_t pairs, bool poisson, uint64_t seed)
    : gap_(1 / rate), pairs_(pairs), poisson_(poisson), random_(seed), gaps_(rate) {}

void arrivals::start(time_point begin) noexcept {
  begin_ = begin;
  offset_ = 0;
  number_ = 0;
  next_ = {.pair = 0, .due = begin};
}

arrivals::arrival arrivals::take() {
  auto taken = next_;
  ++number_;
  // A product, since a sum of many gaps would drift.
  offset_ = poisson_ ? offset_ + gaps_(random_) : static_cast<double>(number_) * gap_;
  next_.pair = (poisson_ ? random_() : number_) % pairs_;
  next_.due = begin_ + std::chrono::duration_cast<time_point::duration>(
                           std::chrono::duration<double>{offset_});
  return taken;
}

} // namespace tandem::bench
