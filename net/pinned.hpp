/// Actors that only ever run on one thread.
#pragma once

#include "net/home.hpp"

#include <caf/actor_config.hpp>
#include <caf/mailbox_element.hpp>

#include <utility>

namespace tandem::net {

/// Mixes into an event-based actor that it runs on its home alone, whoever sends to it. This is
/// what lets a socket's events and its actor's behaviour share state without a lock, as CAF's own
/// brokers do with their multiplexer.
template <class Base>
class pinned : public Base {
public:
  pinned(caf::actor_config& cfg, home& where) : Base(cfg), home_{where} {}

  void enqueue(caf::strong_actor_ptr sender, caf::message_id mid, caf::message content,
               caf::execution_unit*) override {
    enqueue(caf::make_mailbox_element(std::move(sender), mid, {}, std::move(content)), &home_);
  }

  void enqueue(caf::mailbox_element_ptr element, caf::execution_unit*) override {
    Base::enqueue(std::move(element), &home_);
  }

  void launch(caf::execution_unit*, bool lazy, bool hide) override {
    this->context(&home_);
    Base::launch(&home_, lazy, hide);
  }

protected:
  home& home_;
};

} // namespace tandem::net
