#include "tests/bench/load/progress.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unistd.h>

namespace tandem::bench {

progress::progress() : on_terminal_(isatty(STDERR_FILENO) == 1) {}

progress::~progress() {
  if (on_terminal_)
    fmt::print(stderr, "\r\x1b[K");
}

void progress::show(std::string_view what, double fraction, std::string_view detail) {
  if (!on_terminal_)
    return;
  constexpr size_t width = 30;
  auto full = static_cast<size_t>(std::clamp(fraction, 0.0, 1.0) * width);
  fmt::print(stderr, "\r\x1b[K{:<10} [{}{}] {}", what, std::string(full, '#'),
             std::string(width - full, ' '), detail);
  std::fflush(stderr);
}

} // namespace tandem::bench
