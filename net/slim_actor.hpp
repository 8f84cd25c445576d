/// A base for actors of which there are very many.
#pragma once

#include <caf/actor_config.hpp>
#include <caf/actor_traits.hpp>
#include <caf/extend.hpp>
#include <caf/intrusive/lifo_inbox.hpp>
#include <caf/local_actor.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/mixin/sender.hpp>
#include <caf/replies_to.hpp>
#include <caf/resumable.hpp>
#include <caf/type_nr.hpp>
#include <caf/typed_actor.hpp>

#include <set>
#include <string>
#include <tuple>
#include <type_traits>
#include <typeinfo>

namespace tandem::net {

/// What slim actors have in common, whatever their contract is.
class slim_actor_base : public caf::local_actor,
                        public caf::resumable,
                        public caf::non_blocking_actor_base,
                        public caf::statically_typed_actor_base {
public:
  explicit slim_actor_base(caf::actor_config& cfg) : local_actor{cfg} {}
  ~slim_actor_base() override;

  /// Any thread.
  void enqueue(caf::mailbox_element_ptr element, caf::execution_unit* where) override;

  void launch(caf::execution_unit* where, bool lazy, bool hide) override;
  resume_result resume(caf::execution_unit* where, size_t most) override;
  bool cleanup(caf::error&& reason, caf::execution_unit* where) override;

  /// Ends the actor once the message at hand is handled. From inside its turn only.
  void quit(caf::error reason);

  subtype_t subtype() const override { return unspecified; }
  void intrusive_ptr_add_ref_impl() override { caf::intrusive_ptr_add_ref(ctrl()); }
  void intrusive_ptr_release_impl() override { caf::intrusive_ptr_release(ctrl()); }

protected:
  /// Handles one message; false if it is none of the contract's.
  virtual bool handle(const caf::type_erased_tuple& content) = 0;

private:
  struct inbox_policy {
    using mapped_type = caf::mailbox_element;
    using unique_pointer = caf::mailbox_element_ptr;
  };

  bool begin();
  void consume(caf::mailbox_element& element);
  void handle_exit(caf::mailbox_element& element);
  bool finish();
  caf::mailbox_element_ptr next();

  /// What others sent, the latest first.
  caf::intrusive::lifo_inbox<inbox_policy> inbox_;
  /// What was taken from there, the earliest first.
  caf::mailbox_element* taken_ = nullptr;
};

template <class Contract>
class slim_actor;

/// An actor as CAF's typed_event_based_actor, in a sixth of its memory and with less to do for each
/// message: its handlers are code, not an object, its mailbox is one list, and it has no streams,
/// no handlers for rare kinds of messages, no requests and no timeouts. It begins with
/// `initialize`, which a subclass overrides and calls first. Messages of high priority don't
/// overtake, and whoever sends it a request is answered with an error.
template <class... Sigs>
class slim_actor<caf::typed_actor<Sigs...>>
    : public caf::extend<slim_actor_base,
                         slim_actor<caf::typed_actor<Sigs...>>>::template with<caf::mixin::sender> {
public:
  using super = typename caf::extend<
      slim_actor_base, slim_actor<caf::typed_actor<Sigs...>>>::template with<caf::mixin::sender>;
  using signatures = caf::detail::type_list<Sigs...>;
  using behavior_type = caf::typed_behavior<Sigs...>;
  using actor_hdl = caf::typed_actor<Sigs...>;

  explicit slim_actor(caf::actor_config& cfg) : super{cfg} {}

  std::set<std::string> message_types() const override {
    return this->system().message_types(caf::detail::type_list<actor_hdl>{});
  }

protected:
  /// Calls the one of `handlers` that `content` is for; false if there is none. There is a handler
  /// for each line of the contract, in the same order.
  template <class... Handlers>
  static bool dispatch(const caf::type_erased_tuple& content, Handlers&&... handlers) {
    static_assert(sizeof...(Handlers) == sizeof...(Sigs), "the contract has more or fewer lines");
    const auto token = content.type_token();
    return (offer(Sigs{}, token, content, handlers) || ...);
  }

private:
  template <class... Args, class Handler>
  static bool offer(caf::reacts_to<Args...>, uint32_t token, const caf::type_erased_tuple& content,
                    Handler& handler) {
    static_assert(std::is_invocable_r_v<void, Handler&, const Args&...>, "not the contract's line");
    if (token != caf::make_type_token<Args...>())
      return false;
    size_t at = 0;
    if (!(is<Args>(content, at++) && ...))
      return false;
    std::apply(handler, content.get_as_tuple<Args...>());
    return true;
  }

  /// As type_erased_tuple::match_element, for what has the right type token: that tells all types
  /// of CAF's own apart, but neither atoms nor types of ours.
  template <class T>
  static bool is(const caf::type_erased_tuple& content, size_t at) {
    if constexpr (caf::is_atom_constant<T>::value)
      return content.get_as<caf::atom_value>(at) == T::value;
    else if constexpr (caf::type_nr<T>::value == 0)
      return *content.type(at).second == typeid(T);
    else
      return true;
  }
};

} // namespace tandem::net
