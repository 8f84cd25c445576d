#include "actors/admission.hpp"

#include "actors/directory.hpp"
#include "actors/spawn_peer.hpp"

#include <optional>
#include <utility>

namespace tandem {

admission::admission(caf::actor_config& cfg, net::gate& gate,
                     const std::vector<connection_options_by_role>& options)
    : net::pinned<admission_actor::base>{cfg, gate.where()}, gate_{gate} {
  for (const auto& [client, worker] : options)
    options_.push_back({std::make_shared<const connection_options>(client),
                        std::make_shared<const connection_options>(worker)});
}

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

void admission::ask(claim request, std::function<void(const verdict&)> answer) {
  const auto shard = directory::find_shard(system(), request.route, request.key);
  auto pairing = directory::find_pairing(system(), shard);
  if (!pairing || draining_)
    return answer({request.ticket, refusal::draining, "the broker is starting or shutting down"});
  asked_.emplace(request.ticket, question{shard, std::move(answer)});
  send(pairing, std::move(request));
}

void admission::admit(peer_info who, net::link_ptr socket) {
  expected_.erase(who.id);
  const auto& options = options_.at(who.route).at(static_cast<size_t>(who.side));
  spawn_peer(system(), std::move(socket), std::move(who), options);
  end_if_idle();
}

void admission::withdraw(uint64_t ticket) {
  std::optional<size_t> shard;
  if (auto asked = asked_.extract(ticket))
    shard = asked.mapped().shard;
  else if (auto expected = expected_.extract(ticket))
    shard = expected.mapped();
  if (shard)
    if (auto pairing = directory::find_pairing(system(), *shard))
      send(pairing, atom::withdraw::value, ticket);
  end_if_idle();
}

void admission::answer(const verdict& answer) {
  auto asked = asked_.extract(answer.ticket);
  if (!asked)
    return;
  if (answer.why == refusal::none)
    expected_.emplace(answer.ticket, asked.mapped().shard);
  asked.mapped().answer(answer);
  end_if_idle();
}

void admission::end_if_idle() {
  // quit() works only from inside the behaviour.
  if (draining_ && asked_.empty() && expected_.empty())
    send_exit(caf::strong_actor_ptr{ctrl()}, caf::exit_reason::user_shutdown);
}

} // namespace tandem
