/// The admission: the front's gatekeeper.
#pragma once

#include "actors/admission_actor.hpp"
#include "actors/connection.hpp"
#include "net/gate.hpp"
#include "net/pinned.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <array>
#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

namespace tandem {

/// Lives on the front's thread, so that the front calls it without a lock.
class admission final : public net::pinned<admission_actor::base>, private net::gatekeeper {
public:
  /// `options` are by the indices of the routes.
  admission(caf::actor_config& cfg, net::gate& gate,
            const std::vector<connection_options_by_role>& options);

  const char* name() const override { return "admission"; }
  behavior_type make_behavior() override;
  void on_exit() override;

private:
  struct question {
    /// Of the pairing, which is asked.
    size_t shard;
    std::function<void(const verdict&)> answer;
  };

  void ask(claim request, std::function<void(const verdict&)> answer) override;
  void admit(peer_info who, net::link_ptr socket) override;
  void withdraw(uint64_t ticket) override;

  void answer(const verdict& answer);
  void end_if_idle();

  net::gate& gate_;
  /// By the indices of the routes.
  std::vector<std::array<std::shared_ptr<const connection_options>, 2>> options_;
  /// By tickets.
  std::unordered_map<uint64_t, question> asked_;
  /// Peers that may come and haven't yet, and the shards that expect them.
  std::unordered_map<uint64_t, size_t> expected_;
  bool draining_ = false;
};

} // namespace tandem
