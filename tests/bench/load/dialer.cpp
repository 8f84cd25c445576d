#include "tests/bench/load/dialer.hpp"

#include <algorithm>
#include <utility>

namespace tandem::bench {

dialer::dialer(uint64_t concurrency, clock::duration timeout)
    : concurrency_(concurrency), timeout_(timeout) {}

void dialer::add(connection& who, connection::dial_options options) {
  queue_.push_back({&who, std::move(options)});
}

void dialer::settle(const connection& who) noexcept {
  std::erase(in_progress_, &who);
}

void dialer::pump() {
  give_up_late_ones();
  while (!queue_.empty() && in_progress_.size() < concurrency_) {
    auto next = std::move(queue_.front());
    queue_.pop_front();
    // Before the dialling, which may settle it at once.
    in_progress_.push_back(next.who);
    next.who->dial(next.options);
    if (gave_up_)
      next.who->give_up("given up, since the relay doesn't answer");
    else if (!next.who->is_live())
      settle(*next.who);
  }
}

clock::time_point dialer::deadline() const noexcept {
  return in_progress_.empty() ? clock::time_point::max()
                              : in_progress_.front()->dialed() + timeout_;
}

void dialer::give_up_late_ones() {
  auto now = clock::now();
  while (!in_progress_.empty() && in_progress_.front()->dialed() + timeout_ <= now) {
    gave_up_ = true;
    // Settles it, which takes it off the list.
    in_progress_.front()->give_up("the handshake took too long");
  }
}

} // namespace tandem::bench
