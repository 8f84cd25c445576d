/// An extension that logs who comes, who is paired with whom, and who goes why.
#pragma once

#include "actors/extension_actor.hpp"
#include "actors/messages.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <cstdint>
#include <unordered_set>

namespace tandem {

class audit_state {
public:
  static inline const char* name = "audit";

  void on_connected(const connected& event);
  void on_paired(const paired& event);
  void on_unpaired(const unpaired& event);
  void on_disconnected(const disconnected& event);

private:
  // By their ids, since not every event has its counterpart: a restarted extension hears of the end
  // of those that it never met, and a restarted pairing introduces everyone once more.
  std::unordered_set<uint64_t> connections_;
  /// By their clients.
  std::unordered_set<uint64_t> pairs_;
};

extension_actor::behavior_type audit(extension_actor::stateful_pointer<audit_state> self);

} // namespace tandem
