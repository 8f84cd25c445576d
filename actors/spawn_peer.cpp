#include "actors/spawn_peer.hpp"

#include "actors/host.hpp"

#include <utility>

namespace tandem {

net::multiplexer_options framed_options(const peer_info& who, const connection_options& options) {
  net::multiplexer_options result;
  result.max_message = options.recode.max_message;
  if (who.credit >= 0)
    result.credit = static_cast<uint32_t>(who.credit);
  result.slots = options.shares ? UINT32_MAX : who.capacity;
  result.most_slots = options.max_capacity;
  result.heartbeat = who.side == role::client ? options.client_heartbeat : options.worker_heartbeat;
  result.patience = options.patience;
  return result;
}

void spawn_peer(caf::actor_system& system, net::link_ptr socket, peer_info who,
                const std::shared_ptr<const connection_options>& options) {
  auto& where = socket->where();
  const bool framed = who.frames != framing::raw;
  if (framed && options->pools && who.side == role::worker) {
    system.spawn<host>(std::ref(where), std::move(socket), std::move(who), options);
    return;
  }
  if (framed)
    socket =
        net::multiplexer::make_single(std::move(socket), share(who), framed_options(who, *options));
  system.spawn<connection>(std::ref(where), std::move(socket), std::move(who), options);
}

} // namespace tandem
