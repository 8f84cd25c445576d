#include "net/slim_actor.hpp"

#include <caf/detail/sync_request_bouncer.hpp>
#include <caf/exit_reason.hpp>
#include <caf/scheduler/abstract_coordinator.hpp>
#include <caf/system_messages.hpp>

#include <exception>
#include <utility>

namespace tandem::net {

slim_actor_base::~slim_actor_base() = default;

void slim_actor_base::enqueue(caf::mailbox_element_ptr element, caf::execution_unit* where) {
  using caf::intrusive::inbox_result;
  const auto id = element->mid;
  // Only a request's sender has to learn that nobody is there.
  auto asker = id.is_request() ? element->sender : nullptr;
  switch (inbox_.push_front(std::move(element))) {
  case inbox_result::success:
    break;
  case inbox_result::unblocked_reader:
    caf::intrusive_ptr_add_ref(ctrl());
    where->exec_later(this);
    break;
  case inbox_result::queue_closed:
    if (asker)
      caf::detail::sync_request_bouncer{caf::sec::request_receiver_down}(asker, id);
    break;
  }
}

void slim_actor_base::launch(caf::execution_unit* where, bool lazy, bool hide) {
  if (!hide)
    register_at_system();
  if (lazy && inbox_.try_block())
    return;
  caf::intrusive_ptr_add_ref(ctrl());
  where->exec_later(this);
}

caf::resumable::resume_result slim_actor_base::resume(caf::execution_unit* where, size_t most) {
  context(where);
  if (getf(is_cleaned_up_flag) || !begin())
    return done;
  for (size_t handled = 0; handled < most; ++handled) {
    auto element = next();
    if (!element) {
      if (inbox_.try_block())
        return awaiting_message;
      continue;
    }
    consume(*element);
    current_mailbox_element(nullptr);
    if (finish())
      return done;
  }
  return taken_ == nullptr && inbox_.try_block() ? awaiting_message : resume_later;
}

/// The first turn begins the actor; false if it ended at once.
bool slim_actor_base::begin() {
  if (getf(is_initialized_flag))
    return true;
  setf(is_initialized_flag);
  try {
    initialize();
  } catch (const std::exception& e) {
    quit(caf::make_error(caf::sec::runtime_error, std::string{e.what()}));
  }
  return !finish();
}

void slim_actor_base::consume(caf::mailbox_element& element) {
  current_mailbox_element(&element);
  try {
    if (element.mid.is_request())
      make_response_promise().deliver(caf::make_error(caf::sec::unexpected_message));
    else if (!handle(element.content()))
      handle_exit(element);
  } catch (const std::exception& e) {
    quit(caf::make_error(caf::sec::runtime_error, std::string{e.what()}));
  }
}

void slim_actor_base::handle_exit(caf::mailbox_element& element) {
  if (!element.content().match_elements<caf::exit_msg>())
    return;
  auto& message = element.content().get_mutable_as<caf::exit_msg>(0);
  unlink_from(message.source);
  if (message.reason)
    quit(std::move(message.reason));
}

void slim_actor_base::quit(caf::error reason) {
  if (getf(is_shutting_down_flag))
    return;
  setf(is_shutting_down_flag);
  fail_state_ = std::move(reason);
}

/// Ends the actor if it quit.
bool slim_actor_base::finish() {
  if (!getf(is_shutting_down_flag))
    return false;
  on_exit();
  cleanup(std::move(fail_state_), context());
  return true;
}

bool slim_actor_base::cleanup(caf::error&& reason, caf::execution_unit* where) {
  if (!inbox_.closed()) {
    caf::detail::sync_request_bouncer bounce{reason};
    auto drop = [&](caf::mailbox_element* element) {
      bounce(*element);
      caf::mailbox_element_ptr{element};
    };
    while (auto element = next())
      bounce(*element);
    inbox_.close(drop);
  }
  return local_actor::cleanup(std::move(reason), where);
}

/// The earliest message that waits; null if there is none.
caf::mailbox_element_ptr slim_actor_base::next() {
  if (taken_ == nullptr && !inbox_.blocked()) {
    // Puts the latest last.
    for (auto* element = inbox_.take_head(); element != nullptr;) {
      auto* older = static_cast<caf::mailbox_element*>(element->next);
      element->next = taken_;
      taken_ = element;
      element = older;
    }
  }
  auto* first = taken_;
  if (first != nullptr)
    taken_ = static_cast<caf::mailbox_element*>(first->next);
  return caf::mailbox_element_ptr{first};
}

} // namespace tandem::net
