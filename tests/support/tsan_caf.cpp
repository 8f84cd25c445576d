// Tells ThreadSanitizer how libcaf_core synchronises threads.
//
// Debian's library isn't built for it, so the atomics inside are invisible: every message would be
// reported as a race between its sender and its receiver. Suppressing those reports would hide
// tandem's own races too. Instead, the few functions of the library by which memory passes from
// thread to thread are wrapped, and what their atomics do is said. The program's definitions come
// before the library's, and call them in turn. Built into the preset `tsan` alone.

#include <caf/actor_control_block.hpp>
#include <caf/actor_registry.hpp>
#include <caf/blocking_actor.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/ref_counted.hpp>
#include <caf/scheduled_actor.hpp>

#include <cstddef>
#include <cstring>
#include <dlfcn.h>

extern "C" {
void __tsan_acquire(void* address);
void __tsan_release(void* address);
}

namespace {

void acquire(const volatile void* what) {
  __tsan_acquire(const_cast<void*>(what));
}

void release(const volatile void* what) {
  __tsan_release(const_cast<void*>(what));
}

/// The library's own function behind a wrapper.
template <class Function>
Function original(const char* symbol) {
  auto* found = dlsym(RTLD_NEXT, symbol);
  Function result;
  if constexpr (std::is_member_function_pointer_v<Function>) {
    // A pointer to a member function that isn't virtual: its address, and no adjustment of `this`.
    struct {
      void* address;
      ptrdiff_t adjustment;
    } raw{found, 0};
    static_assert(sizeof raw == sizeof result);
    std::memcpy(&result, &raw, sizeof result);
  } else {
    std::memcpy(&result, &found, sizeof result);
  }
  return result;
}

/// Stands for all messages that an actor was ever sent.
const void* mailbox_of(const caf::scheduled_actor* self) {
  return reinterpret_cast<const char*>(self) + 1;
}

} // namespace

namespace caf {

// A message: all that its sender did before comes before its handling.
void scheduled_actor::enqueue(mailbox_element_ptr element, execution_unit* unit) {
  using function = void (scheduled_actor::*)(mailbox_element_ptr, execution_unit*);
  static const auto next =
      original<function>("_ZN3caf15scheduled_actor7enqueueESt10unique_ptrINS_15mailbox_elementENS_"
                         "6detail8disposerEEPNS_14execution_unitE");
  release(element.get());
  release(mailbox_of(this));
  (this->*next)(std::move(element), unit);
}

// An actor that ends drops the messages that it hasn't handled.
bool scheduled_actor::cleanup(error&& reason, execution_unit* host) {
  using function = bool (scheduled_actor::*)(error&&, execution_unit*);
  static const auto next =
      original<function>("_ZN3caf15scheduled_actor7cleanupEONS_5errorEPNS_14execution_unitE");
  acquire(mailbox_of(this));
  return (this->*next)(std::move(reason), host);
}

// And an actor's handlers come one after the other, on whichever thread.
scheduled_actor::activation_result scheduled_actor::reactivate(mailbox_element& element) {
  using function = activation_result (scheduled_actor::*)(mailbox_element&);
  static const auto next =
      original<function>("_ZN3caf15scheduled_actor10reactivateERNS_15mailbox_elementE");
  acquire(&element);
  acquire(this);
  auto result = (this->*next)(element);
  release(this);
  return result;
}

// A message to a blocking actor, and its handling: what waits for others is one, as the scheduler's
// stop does for CAF's own helpers.
void blocking_actor::enqueue(mailbox_element_ptr element, execution_unit* unit) {
  using function = void (blocking_actor::*)(mailbox_element_ptr, execution_unit*);
  static const auto next =
      original<function>("_ZN3caf14blocking_actor7enqueueESt10unique_ptrINS_15mailbox_elementENS_"
                         "6detail8disposerEEPNS_14execution_unitE");
  release(element.get());
  (this->*next)(std::move(element), unit);
}

intrusive::task_result blocking_actor::mailbox_visitor::operator()(mailbox_element& element) {
  using function = intrusive::task_result (mailbox_visitor::*)(mailbox_element&);
  static const auto next =
      original<function>("_ZN3caf14blocking_actor15mailbox_visitorclERNS_15mailbox_elementE");
  acquire(&element);
  return (this->*next)(element);
}

// The counts of references, which decide who frees what.
void ref_counted::deref() const noexcept {
  using function = void (ref_counted::*)() const noexcept;
  static const auto next = original<function>("_ZNK3caf11ref_counted5derefEv");
  release(this);
  acquire(this);
  (this->*next)();
}

void intrusive_ptr_release(actor_control_block* block) {
  using function = void (*)(actor_control_block*);
  static const auto next =
      original<function>("_ZN3caf21intrusive_ptr_releaseEPNS_19actor_control_blockE");
  release(block);
  acquire(block);
  next(block);
}

void intrusive_ptr_release_weak(actor_control_block* block) {
  using function = void (*)(actor_control_block*);
  static const auto next =
      original<function>("_ZN3caf26intrusive_ptr_release_weakEPNS_19actor_control_blockE");
  release(block);
  acquire(block);
  next(block);
}

// The registry: a handle that is found there was put there with all that belongs to it.
void actor_registry::put_impl(atom_value key, strong_actor_ptr value) {
  using function = void (actor_registry::*)(atom_value, strong_actor_ptr);
  static const auto next = original<function>("_ZN3caf14actor_registry8put_implENS_10atom_valueENS_"
                                              "13intrusive_ptrINS_19actor_control_blockEEE");
  release(this);
  (this->*next)(key, std::move(value));
}

strong_actor_ptr actor_registry::get_impl(atom_value key) const {
  using function = strong_actor_ptr (actor_registry::*)(atom_value) const;
  static const auto next = original<function>("_ZNK3caf14actor_registry8get_implENS_10atom_valueE");
  acquire(this);
  return (this->*next)(key);
}

} // namespace caf
