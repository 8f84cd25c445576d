/// Messages to actors that are sent at every turn.
#pragma once

#include "net/spare_memory.hpp"

#include <caf/actor_control_block.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/message.hpp>
#include <caf/replies_to.hpp>
#include <caf/typed_actor.hpp>

#include <tuple>
#include <type_traits>
#include <utility>

namespace tandem::net {

/// As caf::mailbox_element_vals, which `send` makes, but its memory is used again.
template <class... Ts>
class recycled_message final : public caf::mailbox_element,
                               public caf::detail::tuple_vals_impl<caf::type_erased_tuple, Ts...> {
public:
  using values = caf::detail::tuple_vals_impl<caf::type_erased_tuple, Ts...>;

  template <class... Us>
  explicit recycled_message(caf::strong_actor_ptr sender, Us&&... what)
      : caf::mailbox_element{std::move(sender), caf::make_message_id(), {}}, values{
                                                                                 std::forward<Us>(
                                                                                     what)...} {}

  caf::type_erased_tuple& content() override { return *this; }
  const caf::type_erased_tuple& content() const override { return *this; }

  caf::message move_content_to_message() override { return copy_content_to_message(); }

  caf::message copy_content_to_message() const override {
    return std::apply([](const auto&... xs) { return caf::make_message(xs...); }, this->data());
  }

  static void* operator new(size_t) {
    return spare_memory<sizeof(recycled_message), most_spare>::take();
  }
  static void operator delete(void* room) noexcept {
    spare_memory<sizeof(recycled_message), most_spare>::give(room);
  }

private:
  /// More than are under way at a time on a busy thread; 16 KiB of memory.
  static constexpr size_t most_spare = 128;
};

/// Sends `what` to an actor whose contract has it. `sender` is null if nothing depends on who sent
/// it.
template <class... Sigs, class... Ts>
void send_recycled(caf::strong_actor_ptr sender, const caf::typed_actor<Sigs...>& to,
                   caf::execution_unit* context, Ts&&... what) {
  using line = caf::reacts_to<std::decay_t<Ts>...>;
  static_assert((std::is_same_v<line, Sigs> || ...), "the contract has no such line");
  if (!to)
    return;
  using message = recycled_message<typename caf::unbox_message_element<std::decay_t<Ts>>::type...>;
  to->enqueue(caf::mailbox_element_ptr{new message{std::move(sender), std::forward<Ts>(what)...}},
              context);
}

} // namespace tandem::net
