/// The text of a file, with the way from a place in it to its line.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tandem::config {

class source_text {
public:
  /// Keeps `text` without a UTF-8 byte order mark, and with each DOS line end made a Unix one.
  explicit source_text(std::string_view text);

  source_text(const source_text&) = delete;
  source_text& operator=(const source_text&) = delete;

  const char* begin() const noexcept { return text_.data(); }
  const char* end() const noexcept { return text_.data() + text_.size(); }

  /// The line of `at`, from 1. A newline belongs to the line that it ends.
  int line(const char* at) const noexcept;

  /// The byte of its line at which `at` is, from 1.
  int column(const char* at) const noexcept;

  /// The begin of the line that `at` is in.
  const char* line_begin(const char* at) const noexcept;

  /// The begin of the line after the one that `at` is in, or the end.
  const char* next_line(const char* at) const noexcept;

  /// `from` to `to`, without the blanks at its end.
  std::string_view slice(const char* from, const char* to) const noexcept;

private:
  std::string text_;
  /// Where each line begins.
  std::vector<size_t> lines_;
};

} // namespace tandem::config
