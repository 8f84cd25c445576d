/// Whether the other end of a link lives.
#pragma once

#include "net/link.hpp"

#include <cstdint>
#include <utility>

namespace tandem {

/// Judges by the signs of life between a ping and the time when its answer is due.
class life_check {
public:
  void ping(net::link& link) {
    if (!std::exchange(awaits_life_, true)) {
      life_at_ping_ = link.life();
      was_paused_ = false;
    }
    link.ping();
  }

  /// To be called before a link may be read again: an answer may be among what it hasn't read yet.
  void note_pause(const net::link& link) noexcept { was_paused_ = was_paused_ || link.paused(); }

  /// An answer is due. True if there was no sign of life since the first ping after the last call.
  bool missed(const net::link& link) noexcept {
    awaits_life_ = false;
    // While its socket isn't read for want of credit, a pong can't be seen.
    note_pause(link);
    return !was_paused_ && link.life() == life_at_ping_;
  }

private:
  uint32_t life_at_ping_ = 0;
  bool awaits_life_ = false;
  /// The link was paused at some time since that ping.
  bool was_paused_ = false;
};

} // namespace tandem
