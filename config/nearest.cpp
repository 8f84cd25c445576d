#include "config/nearest.hpp"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <vector>

namespace tandem::config {

namespace {

bool same(char x, char y) {
  auto lower = [](char ch) { return std::tolower(static_cast<unsigned char>(ch)); };
  return lower(x) == lower(y);
}

/// Edits from `a` to `b` (optimal string alignment), row by row of the usual matrix.
size_t distance(std::string_view a, std::string_view b) {
  std::vector<size_t> before(b.size() + 1);
  std::vector<size_t> above(b.size() + 1);
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j)
    row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    before.swap(above);
    above.swap(row);
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      auto changed = above[j - 1] + (same(a[i - 1], b[j - 1]) ? 0 : 1);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, changed});
      if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1]))
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
  }
  return row[b.size()];
}

} // namespace

std::optional<std::string_view> nearest(std::string_view word,
                                        std::span<const std::string_view> candidates) {
  std::optional<std::string_view> best;
  size_t fewest = 0;
  for (auto candidate : candidates) {
    // A third of the word wrong is a slip; more is another word.
    auto near_enough = (candidate.size() + 2) / 3;
    if (word.size() > candidate.size() + near_enough)
      continue;
    auto edits = distance(word, candidate);
    if (edits <= near_enough && (!best || edits < fewest)) {
      best = candidate;
      fewest = edits;
    }
  }
  return best;
}

} // namespace tandem::config
