/// The messages between actors; each says who sends it to whom.
#pragma once

#include "actors/connection_actor.hpp"
#include "actors/error.hpp"
#include "actors/fwd.hpp"
#include "actors/host_actor.hpp"
#include "net/chunk.hpp"
#include "net/deflate.hpp"

#include <caf/meta/load_callback.hpp>
#include <caf/meta/type_name.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace tandem {

/// The side on which a connection came.
enum class role : uint8_t { client, worker };

/// What a connection's messages look like on the wire.
enum class framing : uint8_t {
  /// The application's own messages, and nothing else.
  raw,
  /// With a head that names a channel: the subprotocol tandem.v1.
  binary,
  /// The same as JSON text: tandem.json.v1.
  json,
};

constexpr role other(role side) noexcept {
  return side == role::client ? role::worker : role::client;
}

inline std::string to_string(role side) {
  return side == role::client ? "client" : "worker";
}

/// Who a connection is; part of other messages.
struct peer_info {
  /// Unique in the life of the broker; from 1.
  uint64_t id = 0;
  role side = role::client;
  /// What the pairing goes by: the decoded {key} of the path.
  std::string key;
  /// "address:port" of the client, or "unix"; by the word of a trusted proxy, if one passes it on.
  std::string remote;
  /// What it agreed on for the compression of its messages.
  net::deflate_params deflate{};
  /// The application's subprotocol that was agreed on (RFC 6455, section 1.9); empty for none.
  std::string subprotocol{};
  /// The subject of the certificate by which it proved who it is (RFC 4514); empty for none.
  std::string subject{};
  /// The route by which it came: its index among the config's routes.
  uint16_t route = 0;
  framing frames = framing::raw;
  /// How many clients it takes at once, if it is a pool's worker.
  uint32_t capacity = 1;
  /// The id of the connection that carries it, if it is a channel; 0 if it has a socket of its own.
  uint64_t host = 0;
  /// What select = "sticky" goes by, as stable_hash has it: of a client, the value that the route
  /// names; of a worker, the name that it gives itself. 0 for nothing.
  uint64_t sticky = 0;
  /// Of the clients that wait, the one with the highest comes first.
  int32_t priority = 0;
  /// What may be sent to it on each of its channels at first, in bytes, if it is framed; below 0
  /// for no limit.
  int64_t credit = -1;
  /// Path and query of a client's request, as it sent them.
  std::string target{};
  /// Headers of a client's request that a framed worker is told of.
  std::vector<std::pair<std::string, std::string>> headers{};
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, peer_info& x) {
  return f(caf::meta::type_name("peer_info"), x.id, x.side, x.key, x.remote, x.deflate,
           x.subprotocol, x.subject, x.route, x.frames, x.capacity, x.host, x.sticky, x.priority,
           x.credit, x.target, x.headers);
}

/// One that its holders share: a connection has it for its whole life, and PAIRING as long.
using peer_info_ptr = std::shared_ptr<const peer_info>;

inline peer_info_ptr share(peer_info who) {
  return std::make_shared<const peer_info>(std::move(who));
}

/// Lets an inspector that can't see into `shared` see a copy of it; what is returned is to be
/// called once one that writes has written that.
template <class Inspector>
auto copy_of(Inspector&, peer_info_ptr& shared, peer_info& copy) {
  if constexpr (Inspector::reads_state)
    copy = *shared;
  return [&]() -> caf::error {
    shared = share(std::move(copy));
    return {};
  };
}

/// ADMISSION -> PAIRING: a peer asks to come.
struct claim {
  /// Names the reservation; unique in the life of the broker. It becomes the connection's id.
  uint64_t ticket = 0;
  role side = role::client;
  std::string key;
  /// Those that it offers and the broker accepts, the one that it prefers first.
  std::vector<std::string> subprotocols{};
  /// The index of its route.
  uint16_t route = 0;
  framing frames = framing::raw;
  /// As peer_info has these.
  uint32_t capacity = 1;
  uint64_t sticky = 0;
  int32_t priority = 0;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, claim& x) {
  return f(caf::meta::type_name("claim"), x.ticket, x.side, x.key, x.subprotocols, x.route,
           x.frames, x.capacity, x.sticky, x.priority);
}

/// PAIRING -> ADMISSION: the answer to a claim; `none` means yes.
struct verdict {
  uint64_t ticket = 0;
  refusal why = refusal::none;
  /// For the JSON body's `detail`.
  std::string detail;
  /// The subprotocol to agree on; empty for none.
  std::string subprotocol{};
  /// Index of the network worker that it should live on, since its peer does; -1 for any.
  int32_t home = -1;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, verdict& x) {
  return f(caf::meta::type_name("verdict"), x.ticket, x.why, x.detail, x.subprotocol, x.home);
}

/// PAIRING -> connection: its peer.
struct peer_ref {
  peer_info_ptr who = share({});
  connection_actor handle;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, peer_ref& x) {
  peer_info who;
  auto load = copy_of(f, x.who, who);
  return f(caf::meta::type_name("peer_ref"), who, x.handle, caf::meta::load_callback(load));
}

/// Connection -> PAIRING: itself.
struct member {
  peer_info_ptr who = share({});
  connection_actor handle;
  /// The peer that it is bound to already, 0 if none: a new PAIRING learns its pairs from this.
  uint64_t peer = 0;
  /// Index of the network worker that it lives on; -1 if that isn't known.
  int32_t home = -1;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, member& x) {
  peer_info who;
  auto load = copy_of(f, x.who, who);
  return f(caf::meta::type_name("member"), who, x.handle, x.peer, x.home,
           caf::meta::load_callback(load));
}

/// One of a host's channels.
struct channel_ref {
  uint64_t id = 0;
  connection_actor handle;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, channel_ref& x) {
  return f(caf::meta::type_name("channel_ref"), x.id, x.handle);
}

/// Host -> PAIRING: itself.
struct host_member {
  peer_info_ptr who = share({});
  host_actor handle;
  /// How many channels it takes at once, by its worker's last word.
  uint32_t capacity = 1;
  /// Index of the network worker that it lives on; -1 if that isn't known.
  int32_t home = -1;
  /// It takes no more channels.
  bool draining = false;
  /// Those that it has: a new PAIRING learns from this which slots are taken. They join it, too.
  std::vector<channel_ref> channels{};
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, host_member& x) {
  peer_info who;
  auto load = copy_of(f, x.who, who);
  return f(caf::meta::type_name("host_member"), who, x.handle, x.capacity, x.home, x.draining,
           x.channels, caf::meta::load_callback(load));
}

/// PAIRING -> extensions.
struct connected {
  peer_info who;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, connected& x) {
  return f(caf::meta::type_name("connected"), x.who);
}

/// PAIRING -> extensions.
struct paired {
  std::string key;
  uint64_t client = 0;
  uint64_t worker = 0;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, paired& x) {
  return f(caf::meta::type_name("paired"), x.key, x.client, x.worker);
}

/// PAIRING -> extensions.
struct unpaired {
  std::string key;
  uint64_t client = 0;
  uint64_t worker = 0;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, unpaired& x) {
  return f(caf::meta::type_name("unpaired"), x.key, x.client, x.worker);
}

/// PAIRING -> extensions.
struct disconnected {
  peer_info who;
  ending how;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, disconnected& x) {
  return f(caf::meta::type_name("disconnected"), x.who, x.how);
}

} // namespace tandem
