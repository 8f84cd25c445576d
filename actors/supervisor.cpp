#include "actors/supervisor.hpp"

#include "actors/admission.hpp"
#include "actors/directory.hpp"

#include <spdlog/spdlog.h>

#include <utility>

namespace tandem {

namespace {

/// A child that dies more often than this is left alone: it would only die again.
constexpr int max_restarts = 10;

} // namespace

void supervisor_state::start(broker_parts parts) {
  parts_ = std::make_unique<broker_parts>(std::move(parts));
  self_->set_down_handler([this](caf::scheduled_actor*, caf::down_msg& down) { on_down(down); });
  heartbeats_.resize(parts_->homes.size());
  pairings_.resize(parts_->shards);
  for (size_t i = 0; i < parts_->shards; ++i)
    start_pairing(i);
  for (size_t i = 0; i < parts_->homes.size(); ++i)
    start_heartbeat(i);
  for (const auto& [extension, factory] : parts_->extensions)
    start_extension(extension);
  // Last, since peers come in from now on.
  start_admission();
}

// -- children -----------------------------------------------------------------

void supervisor_state::start_pairing(size_t shard) {
  auto& handle = pairings_[shard];
  const bool anew = static_cast<bool>(handle);
  handle = self_->system().spawn(pairing, parts_->pairs);
  directory::publish(self_->system(), pairings_);
  watch(caf::actor_cast<caf::strong_actor_ptr>(handle), "pairing" + std::to_string(shard),
        [this, shard] { start_pairing(shard); });
  for (const auto& [extension, listener] : extensions_)
    self_->send(handle, atom::subscribe::value, listener);
  if (!anew)
    return;
  // The heartbeats still know the connections, and these know their peers. Those of other shards
  // join theirs once more, which changes nothing.
  for (const auto& heartbeat : heartbeats_)
    self_->send(heartbeat, atom::rejoin::value);
}

void supervisor_state::start_heartbeat(size_t home) {
  auto& handle = heartbeats_[home];
  const bool anew = static_cast<bool>(handle);
  handle = self_->system().spawn<heartbeat>(parts_->homes[home], parts_->heartbeats);
  directory::publish(self_->system(), home, handle);
  watch(caf::actor_cast<caf::strong_actor_ptr>(handle), "heartbeat" + std::to_string(home),
        [this, home] { start_heartbeat(home); });
  if (anew)
    for (const auto& shard : pairings_)
      self_->send(shard, atom::rejoin::value);
}

void supervisor_state::start_admission() {
  admission_ = self_->system().spawn<admission>(parts_->gate, parts_->connections);
  watch(caf::actor_cast<caf::strong_actor_ptr>(admission_), "admission",
        [this] { start_admission(); });
}

void supervisor_state::start_extension(const std::string& extension) {
  auto handle = parts_->extensions.at(extension)(self_->system());
  extensions_[extension] = handle;
  watch(caf::actor_cast<caf::strong_actor_ptr>(handle), "extension " + extension,
        [this, extension] { start_extension(extension); });
  for (const auto& shard : pairings_)
    self_->send(shard, atom::subscribe::value, handle);
}

void supervisor_state::watch(const caf::strong_actor_ptr& actor, std::string title,
                             std::function<void()> restart) {
  self_->monitor(actor);
  children_.emplace(caf::actor_cast<caf::actor_addr>(actor),
                    child{std::move(title), std::move(restart)});
}

void supervisor_state::on_down(const caf::down_msg& down) {
  auto at = children_.find(down.source);
  if (at == children_.end())
    return;
  auto dead = std::move(at->second);
  children_.erase(at);
  if (stopping_) {
    if (children_.empty())
      self_->quit();
    return;
  }
  auto restarts = ++restarts_[dead.title];
  spdlog::error("actor died name=\"{}\" reason=\"{}\" restarts={}", dead.title,
                self_->system().render(down.reason), restarts);
  if (restarts <= max_restarts)
    dead.restart();
}

// -- the shutdown -------------------------------------------------------------

void supervisor_state::shutdown() {
  stopping_ = true;
  self_->send(admission_, atom::shutdown::value);
  for (const auto& shard : pairings_)
    self_->send(shard, atom::shutdown::value);
}

void supervisor_state::end() {
  stopping_ = true;
  directory::clear(self_->system(), heartbeats_.size());
  for (const auto& [address, unused] : children_)
    self_->send_exit(address, caf::exit_reason::user_shutdown);
  if (children_.empty())
    self_->quit();
}

supervisor_actor::behavior_type
supervisor(supervisor_actor::stateful_pointer<supervisor_state> self,
           const std::shared_ptr<broker_parts>& parts) {
  self->state.start(std::move(*parts));
  return {
      [=](atom::shutdown) { self->state.shutdown(); },
      [=](atom::end) { self->state.end(); },
  };
}

} // namespace tandem
