/// CAF's clock, left alone by those who never asked it for anything.
#pragma once

#include <caf/detail/thread_safe_actor_clock.hpp>

#include <atomic>

namespace tandem::net {

/// Passes everything on to the real clock, but for one thing. Every actor that ends has the clock
/// cancel its timeouts, through a ring of 64 slots whose push blocks when it is full: when
/// thousands of connections end at once, their network workers would wait for the clock's thread.
/// As long as nobody has set a timeout there is nothing to cancel. Any thread.
class quiet_clock final : public caf::detail::thread_safe_actor_clock {
public:
  using base = caf::detail::thread_safe_actor_clock;

  explicit quiet_clock(base& real) : real_{real} {}

  time_point now() const noexcept override { return real_.now(); }

  void set_ordinary_timeout(time_point t, caf::abstract_actor* self, caf::atom_value type,
                            uint64_t id) override;
  void set_request_timeout(time_point t, caf::abstract_actor* self, caf::message_id id) override;
  void set_multi_timeout(time_point t, caf::abstract_actor* self, caf::atom_value type,
                         uint64_t id) override;
  void cancel_ordinary_timeout(caf::abstract_actor* self, caf::atom_value type) override;
  void cancel_request_timeout(caf::abstract_actor* self, caf::message_id id) override;
  void cancel_timeouts(caf::abstract_actor* self) override;
  void schedule_message(time_point t, caf::strong_actor_ptr receiver,
                        caf::mailbox_element_ptr content) override;
  void schedule_message(time_point t, caf::group target, caf::strong_actor_ptr sender,
                        caf::message content) override;
  void cancel_all() override;

private:
  base& real_;
  std::atomic<bool> used_{false};
};

} // namespace tandem::net
