#include "actors/audit.hpp"

#include "actors/log.hpp"

#include <spdlog/spdlog.h>

namespace tandem {

void audit_state::on_connected(const connected& event) {
  connections_.insert(event.who.id);
  spdlog::info("audit connected id={} role={} key={} remote={} subprotocol={} subject={} "
               "connections={}",
               event.who.id, to_string(event.who.side), log_value(event.who.key), event.who.remote,
               log_value(event.who.subprotocol), log_value(event.who.subject), connections_.size());
}

void audit_state::on_paired(const paired& event) {
  pairs_.insert(event.client);
  spdlog::info("audit paired key={} client={} worker={} pairs={}", log_value(event.key),
               event.client, event.worker, pairs_.size());
}

void audit_state::on_unpaired(const unpaired& event) {
  pairs_.erase(event.client);
  spdlog::info("audit unpaired key={} client={} worker={} pairs={}", log_value(event.key),
               event.client, event.worker, pairs_.size());
}

void audit_state::on_disconnected(const disconnected& event) {
  connections_.erase(event.who.id);
  spdlog::info("audit disconnected id={} role={} key={} reason={} connections={}", event.who.id,
               to_string(event.who.side), log_value(event.who.key), to_string(event.how.reason),
               connections_.size());
}

extension_actor::behavior_type audit(extension_actor::stateful_pointer<audit_state> self) {
  return {
      [=](const connected& event) { self->state.on_connected(event); },
      [=](const paired& event) { self->state.on_paired(event); },
      [=](const unpaired& event) { self->state.on_unpaired(event); },
      [=](const disconnected& event) { self->state.on_disconnected(event); },
  };
}

} // namespace tandem
