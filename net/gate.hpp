/// How the front and the actors agree on who may come in.
#pragma once

#include "actors/messages.hpp"
#include "net/home.hpp"
#include "net/link.hpp"

#include <functional>

namespace tandem::net {

/// Decides who comes in. All of it on the front's thread.
class gatekeeper {
public:
  virtual ~gatekeeper() = default;

  /// May this peer come, and which of its subprotocols may it agree on? Calls `answer` at most
  /// once, now or later. Either `admit` or `withdraw` follows a yes, and `withdraw` may come before
  /// the answer.
  virtual void ask(claim request, std::function<void(const verdict&)> answer) = 0;

  /// The peer's handshake is done; this is its socket.
  virtual void admit(peer_info who, link_ptr socket) = 0;

  /// The peer went away during the handshake, or the answer took too long.
  virtual void withdraw(uint64_t ticket) = 0;
};

/// The front, as actors see it.
class gate {
public:
  virtual ~gate() = default;

  /// The front's thread.
  virtual home& where() noexcept = 0;

  /// Takes `keeper` from now on; null for none, and then every peer is refused. The front's thread
  /// alone.
  virtual void guard_with(gatekeeper* keeper) = 0;
};

} // namespace tandem::net
