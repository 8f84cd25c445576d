#include "config/source_text.hpp"

#include <algorithm>

namespace tandem::config {

source_text::source_text(std::string_view text) : lines_{0} {
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  if (text.starts_with(byte_order_mark))
    text.remove_prefix(byte_order_mark.size());
  text_.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i, 2) == "\r\n")
      continue;
    text_.push_back(text[i]);
    if (text[i] == '\n')
      lines_.push_back(text_.size());
  }
}

int source_text::line(const char* at) const noexcept {
  auto after = std::ranges::upper_bound(lines_, static_cast<size_t>(at - begin()));
  return static_cast<int>(after - lines_.begin());
}

int source_text::column(const char* at) const noexcept {
  return static_cast<int>(at - line_begin(at)) + 1;
}

const char* source_text::line_begin(const char* at) const noexcept {
  return begin() + lines_[static_cast<size_t>(line(at)) - 1];
}

const char* source_text::next_line(const char* at) const noexcept {
  auto next = static_cast<size_t>(line(at));
  return next < lines_.size() ? begin() + lines_[next] : end();
}

std::string_view source_text::slice(const char* from, const char* to) const noexcept {
  while (to != from && (to[-1] == ' ' || to[-1] == '\t'))
    --to;
  return {from, static_cast<size_t>(to - from)};
}

} // namespace tandem::config
