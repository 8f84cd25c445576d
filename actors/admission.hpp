/// The admission: the front's gatekeeper.
#pragma once

#include "actors/admission_actor.hpp"
#include "actors/connection.hpp"
#include "net/gate.hpp"
#include "net/pinned.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <functional>
#include <memory>
#include <unordered_map>
#include <unordered_set>

namespace tandem {

/// Lives on the front's thread, so that the front calls it without a lock.
class admission final : public net::pinned<admission_actor::base>, private net::gatekeeper {
public:
  admission(caf::actor_config& cfg, net::gate& gate,
            std::shared_ptr<const connection_options> options);

  const char* name() const override { return "admission"; }
  behavior_type make_behavior() override;
  void on_exit() override;

private:
  void ask(const peer_info& who, std::vector<std::string> subprotocols,
           std::function<void(const verdict&)> answer) override;
  void admit(peer_info who, net::link_ptr socket) override;
  void withdraw(uint64_t ticket) override;

  void answer(const verdict& answer);
  void end_if_idle();

  net::gate& gate_;
  std::shared_ptr<const connection_options> options_;
  std::unordered_map<uint64_t, std::function<void(const verdict&)>> asked_;
  /// Tickets of peers that may come and haven't yet.
  std::unordered_set<uint64_t> expected_;
  bool draining_ = false;
};

} // namespace tandem
