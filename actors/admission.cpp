#include "actors/admission.hpp"

#include "actors/directory.hpp"
#include "actors/spawn_peer.hpp"

#include <utility>

namespace tandem {

admission::admission(caf::actor_config& cfg, net::gate& gate,
                     std::shared_ptr<const connection_options> options)
    : net::pinned<admission_actor::base>{cfg, gate.where()}, gate_{gate}, options_{
                                                                              std::move(options)} {}

admission::behavior_type admission::make_behavior() {
  gate_.guard_with(this);
  return {
      [this](const verdict& x) { answer(x); },
      [this](atom::shutdown) {
        draining_ = true;
        end_if_idle();
      },
  };
}

void admission::on_exit() {
  gate_.guard_with(nullptr);
}

void admission::ask(const peer_info& who, std::vector<std::string> subprotocols,
                    std::function<void(const verdict&)> answer) {
  auto pairing = directory::find_pairing(system());
  if (!pairing || draining_)
    return answer({who.id, refusal::draining, "the broker is starting or shutting down"});
  asked_.emplace(who.id, std::move(answer));
  send(pairing, claim{who.id, who.side, who.key, std::move(subprotocols)});
}

void admission::admit(peer_info who, net::link_ptr socket) {
  expected_.erase(who.id);
  spawn_peer(system(), std::move(socket), std::move(who), options_);
  end_if_idle();
}

void admission::withdraw(uint64_t ticket) {
  asked_.erase(ticket);
  expected_.erase(ticket);
  if (auto pairing = directory::find_pairing(system()))
    send(pairing, atom::withdraw::value, ticket);
  end_if_idle();
}

void admission::answer(const verdict& answer) {
  auto asked = asked_.extract(answer.ticket);
  if (!asked)
    return;
  if (answer.why == refusal::none)
    expected_.insert(answer.ticket);
  asked.mapped()(answer);
  end_if_idle();
}

void admission::end_if_idle() {
  // quit() works only from inside the behaviour.
  if (draining_ && asked_.empty() && expected_.empty())
    send_exit(caf::strong_actor_ptr{ctrl()}, caf::exit_reason::user_shutdown);
}

} // namespace tandem
