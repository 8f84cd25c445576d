/// A bar on the terminal that shows how far a run has come.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>

namespace tandem::bench {

/// Draws on stderr, and only if that is a terminal.
class progress {
public:
  progress();
  /// Wipes the bar.
  ~progress();
  progress(const progress&) = delete;
  progress& operator=(const progress&) = delete;

  /// Shows `fraction` (0 to 1) of `what`, and `detail` after the bar.
  void show(std::string_view what, double fraction, std::string_view detail);

private:
  bool on_terminal_;
};

} // namespace tandem::bench
