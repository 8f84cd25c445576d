#include "actors/pairing.hpp"

#include "actors/admission_actor.hpp"
#include "actors/pairing_exclusive.hpp"
#include "actors/pairing_pool.hpp"

#include <algorithm>

namespace tandem {

void pairing_state::start(const std::vector<pairing_options>& routes) {
  for (const auto& options : routes)
    if (options.mode == pairing_mode::exclusive)
      policies_.push_back(std::make_unique<pairing_exclusive>(roster_, options));
    else
      policies_.push_back(std::make_unique<pairing_pool>(roster_, options));
  self_->set_down_handler([this](caf::scheduled_actor*, caf::down_msg& down) { on_down(down); });
}

// -- coming -------------------------------------------------------------------

verdict pairing_state::decide(const claim& request) {
  if (draining_)
    return {request.ticket, refusal::draining, "the broker is shutting down"};
  return policies_.at(request.route)->decide(request);
}

void pairing_state::withdraw(uint64_t ticket) {
  if (auto place = roster_.take_reservation(ticket))
    policies_.at(place->route)->withdraw(ticket, *place);
}

void pairing_state::join(const member& who) {
  auto& policy = policy_of(*who.who);
  if (!roster_.add(who))
    return policy.rejoin(who);
  auto place = roster_.take_reservation(who.who->id);
  if (welcome(*who.who, place))
    policy.join(who, place.has_value());
}

void pairing_state::enlist(const host_member& who) {
  if (!roster_.add(who))
    return;
  auto place = roster_.take_reservation(who.who->id);
  if (welcome(*who.who, place))
    policy_of(*who.who).enlist(who, place.has_value());
}

/// False if the newcomer has to go at once.
bool pairing_state::welcome(const peer_info& who,
                            const std::optional<pairing_roster::reservation>& place) {
  roster_.publish(connected{who});
  if (!draining_)
    return true;
  if (place)
    policy_of(who).withdraw(who.id, *place);
  roster_.end(who.id, end_reason::shutting_down);
  return false;
}

void pairing_state::resize(uint64_t host, uint32_t slots) {
  if (const auto* who = roster_.who(host))
    policy_of(*who).resize(host, slots);
}

void pairing_state::drain(uint64_t host) {
  if (const auto* who = roster_.who(host))
    policy_of(*who).drain(host);
}

// -- going --------------------------------------------------------------------

void pairing_state::leave(uint64_t id) {
  if (const auto* who = roster_.who(id))
    policy_of(*who).leave(id);
}

void pairing_state::on_down(const caf::down_msg& down) {
  roster_.unsubscribe(down.source);
  auto id = roster_.remove(down.source);
  if (!id)
    return;
  const auto gone = roster_.remove(*id);
  if (!gone) {
    // It never joined, so its route isn't known.
    for (auto& policy : policies_)
      policy->remove(*id);
    return;
  }
  auto how = ending_of(down.reason);
  policy_of(*gone).remove(*gone, how);
  roster_.publish(disconnected{*gone, std::move(how)});
}

void pairing_state::tick() {
  roster_.forget_ticks();
  while (auto id = roster_.take_expired())
    policy_of(*roster_.who(*id)).expire(*id);
  for (auto& policy : policies_)
    policy->tick();
  roster_.wake_for_waiting();
}

void pairing_state::shutdown() {
  draining_ = true;
  for (auto id : roster_.everybody())
    policy_of(*roster_.who(id)).end(id, end_reason::shutting_down);
}

bool pairing_state::empty() const noexcept {
  return roster_.empty() &&
         std::ranges::all_of(policies_, [](const auto& x) { return x->empty(); });
}

// -- the actor ----------------------------------------------------------------

pairing_actor::behavior_type pairing(pairing_actor::stateful_pointer<pairing_state> self,
                                     const std::vector<pairing_options>& routes) {
  self->state.start(routes);
  return {
      [=](const claim& request) {
        auto asker = caf::actor_cast<admission_actor>(self->current_sender());
        self->send(asker, self->state.decide(request));
      },
      [=](atom::withdraw, uint64_t ticket) { self->state.withdraw(ticket); },
      [=](atom::join, const member& who) { self->state.join(who); },
      [=](atom::enlist, const host_member& who) { self->state.enlist(who); },
      [=](atom::capacity, uint64_t host, uint32_t slots) { self->state.resize(host, slots); },
      [=](atom::drain, uint64_t host) { self->state.drain(host); },
      [=](atom::leave, uint64_t id) { self->state.leave(id); },
      [=](atom::rejoin) { self->state.rejoin(); },
      [=](atom::subscribe, const extension_actor& listener) { self->state.subscribe(listener); },
      [=](atom::tick) { self->state.tick(); },
      [=](atom::shutdown) { self->state.shutdown(); },
  };
}

} // namespace tandem
