/// Forward declarations, the atoms, and the one type-ID block of tandem.
#pragma once

#include <caf/atom.hpp>
#include <caf/fwd.hpp>
#include <caf/replies_to.hpp>
#include <caf/type_id.hpp>
#include <caf/typed_actor.hpp>

#include <cstdint>

namespace tandem {

enum class end_reason : uint8_t;
enum class framing : uint8_t;
enum class refusal : uint8_t;
enum class role : uint8_t;

struct channel_ref;
struct claim;
struct connected;
struct disconnected;
struct ending;
struct host_member;
struct member;
struct paired;
struct peer_info;
struct peer_ref;
struct unpaired;
struct verdict;

namespace net {
class chunk;
class home;
class link;
} // namespace net

} // namespace tandem

// clang-format off
CAF_BEGIN_TYPE_ID_BLOCK(tandem, caf::first_custom_type_id)
  CAF_ADD_TYPE_ID(tandem, (tandem::net::chunk))
  CAF_ADD_TYPE_ID(tandem, (tandem::end_reason))
  CAF_ADD_TYPE_ID(tandem, (tandem::framing))
  CAF_ADD_TYPE_ID(tandem, (tandem::refusal))
  CAF_ADD_TYPE_ID(tandem, (tandem::role))
  CAF_ADD_TYPE_ID(tandem, (tandem::channel_ref))
  CAF_ADD_TYPE_ID(tandem, (tandem::claim))
  CAF_ADD_TYPE_ID(tandem, (tandem::connected))
  CAF_ADD_TYPE_ID(tandem, (tandem::disconnected))
  CAF_ADD_TYPE_ID(tandem, (tandem::ending))
  CAF_ADD_TYPE_ID(tandem, (tandem::host_member))
  CAF_ADD_TYPE_ID(tandem, (tandem::member))
  CAF_ADD_TYPE_ID(tandem, (tandem::paired))
  CAF_ADD_TYPE_ID(tandem, (tandem::peer_info))
  CAF_ADD_TYPE_ID(tandem, (tandem::peer_ref))
  CAF_ADD_TYPE_ID(tandem, (tandem::unpaired))
  CAF_ADD_TYPE_ID(tandem, (tandem::verdict))
  CAF_ADD_ATOM(tandem, tandem::atom, bind, "bind")
  CAF_ADD_ATOM(tandem, tandem::atom, capacity, "capacity")
  CAF_ADD_ATOM(tandem, tandem::atom, check, "check")
  CAF_ADD_ATOM(tandem, tandem::atom, credit, "credit")
  CAF_ADD_ATOM(tandem, tandem::atom, drain, "drain")
  CAF_ADD_ATOM(tandem, tandem::atom, end, "end")
  CAF_ADD_ATOM(tandem, tandem::atom, enlist, "enlist")
  CAF_ADD_ATOM(tandem, tandem::atom, forward, "forward")
  CAF_ADD_ATOM(tandem, tandem::atom, join, "join")
  CAF_ADD_ATOM(tandem, tandem::atom, leave, "leave")
  CAF_ADD_ATOM(tandem, tandem::atom, open, "open")
  CAF_ADD_ATOM(tandem, tandem::atom, peer_end, "peer-end")
  CAF_ADD_ATOM(tandem, tandem::atom, ping, "ping")
  CAF_ADD_ATOM(tandem, tandem::atom, position, "position")
  CAF_ADD_ATOM(tandem, tandem::atom, recode, "recode")
  CAF_ADD_ATOM(tandem, tandem::atom, rejoin, "rejoin")
  CAF_ADD_ATOM(tandem, tandem::atom, shutdown, "shutdown")
  CAF_ADD_ATOM(tandem, tandem::atom, subscribe, "subscribe")
  CAF_ADD_ATOM(tandem, tandem::atom, tick, "tick")
  CAF_ADD_ATOM(tandem, tandem::atom, withdraw, "withdraw")
CAF_END_TYPE_ID_BLOCK(tandem)
// clang-format on
