/// Stands in for an actor of any contract.
#pragma once

#include "support/world.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/message_view.hpp>

#include <deque>
#include <memory>
#include <string>
#include <tuple>
#include <type_traits>

namespace tandem::test {

/// Every field, for comparing.
inline auto fields(const ending& x) {
  return std::tie(x.reason, x.code, x.text, x.cut);
}

/// An actor that writes down what it gets, and says what the test has it say.
class probe {
public:
  struct letter {
    world::time when;
    caf::strong_actor_ptr from;
    caf::message content;
  };

  explicit probe(world& w) : letters_{std::make_shared<std::deque<letter>>()} {
    actor_ = w.system().spawn([&w, letters = letters_](caf::event_based_actor* self) {
      self->set_default_handler([&w, letters](caf::scheduled_actor* me,
                                              caf::message_view& x) -> caf::result<caf::message> {
        letters->push_back({w.now(), me->current_sender(), x.copy_content_to_message()});
        return caf::make_message();
      });
      return caf::behavior{[self](caf::unit_t) { self->quit(); }};
    });
  }

  template <class Handle>
  Handle as() const {
    return caf::actor_cast<Handle>(actor_);
  }

  template <class Handle, class... Ts>
  void send(const Handle& to, Ts... what) const {
    caf::send_as(actor_, caf::actor_cast<caf::actor>(to), std::move(what)...);
  }

  /// Ends it in good order, without a reason.
  void quit() const { caf::anon_send(actor_, caf::unit); }

  /// Ends it.
  void exit(caf::error reason) const {
    caf::anon_send(actor_, caf::exit_msg{actor_.address(), std::move(reason)});
  }

  size_t size() const { return letters_->size(); }
  bool empty() const { return letters_->empty(); }
  void forget() { letters_->clear(); }

  /// Everything that came and wasn't taken.
  const std::deque<letter>& letters() const { return *letters_; }

  /// The oldest message, which has to be of these types, without its atom: nothing, its one
  /// element, or a tuple of them.
  template <class... Ts>
  auto take() {
    REQUIRE_FALSE(empty());
    auto content = std::move(letters_->front().content);
    letters_->pop_front();
    INFO(caf::to_string(content));
    REQUIRE(content.template match_elements<Ts...>());
    return unpack(content, static_cast<std::tuple<Ts...>*>(nullptr));
  }

private:
  template <class... Ts>
  static auto unpack(const caf::message& content, std::tuple<Ts...>*) {
    constexpr size_t atoms =
        caf::is_atom_constant<std::tuple_element_t<0, std::tuple<Ts...>>>::value ? 1 : 0;
    return unpack_from<atoms, Ts...>(content, std::make_index_sequence<sizeof...(Ts) - atoms>{});
  }

  template <size_t First, class... Ts, size_t... Is>
  static auto unpack_from(const caf::message& content, std::index_sequence<Is...>) {
    using all = std::tuple<Ts...>;
    if constexpr (sizeof...(Is) == 1)
      return content.get_as<std::tuple_element_t<First, all>>(First);
    else if constexpr (sizeof...(Is) > 1)
      return std::make_tuple(content.get_as<std::tuple_element_t<First + Is, all>>(First + Is)...);
  }

  std::shared_ptr<std::deque<letter>> letters_;
  caf::actor actor_;
};

} // namespace tandem::test
