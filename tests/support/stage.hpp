/// Where one connection plays, and all others are stand-ins.
#pragma once

#include "actors/connection.hpp"
#include "support/probe.hpp"

#include <memory>
#include <optional>

namespace tandem::test {

inline constexpr int64_t window = 4000;
inline constexpr int64_t pending = 1000;
inline constexpr uint64_t own_id = 7;

/// One connection, and stand-ins for all that it deals with.
struct stage {
  explicit stage(bool waits_for_next_peer = false)
      : options{std::make_shared<connection_options>(
            connection_options{window, pending, waits_for_next_peer, {.piece = 500}})} {
    directory::publish(w.system(), {pairing.as<pairing_actor>()});
    directory::publish(w.system(), 0, heartbeat.as<heartbeat_actor>());
    w.settle();
  }

  void start() {
    subject = w.system().spawn<connection>(
        std::ref(w.home()), net::link_ptr{&link},
        peer_info{own_id, role::client, "key", "127.0.0.1:4711", agreed},
        std::shared_ptr<const connection_options>{options});
    // Learn of its end as the pairing does.
    monitor = w.system().spawn([this](caf::event_based_actor* self) -> caf::behavior {
      self->monitor(subject);
      self->set_down_handler([this](const caf::down_msg& down) { died = ending_of(down.reason); });
      return {[](caf::unit_t) {}};
    });
    w.settle();
  }

  void bind(uint64_t id, const probe& peer, net::deflate_params takes = {}) {
    pairing.send(
        subject, atom::bind::value,
        peer_ref{share({id, role::worker, "key", "remote", takes}), peer.as<connection_actor>()});
    w.settle();
  }

  template <class... Ts>
  void tell(const probe& from, Ts... what) {
    from.send(subject, std::move(what)...);
    w.settle();
  }

  /// Has the connection's other end send.
  void receive(std::string_view bytes) {
    link.receive(chunk_of(bytes));
    w.settle();
  }

  void receive_cost(size_t cost) {
    link.receive(chunk_that_costs(cost));
    w.settle();
  }

  void drain(size_t cost) {
    link.drain(cost);
    w.settle();
  }

  void end_link(const ending& how) {
    link.end(how);
    w.settle();
  }

  world w;
  probe pairing{w};
  probe heartbeat{w};
  probe peer{w};
  fake_link& link = w.make_link();
  std::shared_ptr<connection_options> options;
  /// What the connection's own side agreed on.
  net::deflate_params agreed{};
  connection_actor subject;
  caf::actor monitor;
  /// How the actor ended.
  std::optional<ending> died;
};

/// A stage whose connection is bound to `peer`, number 8, and has all else behind it.
struct bound_stage : stage {
  explicit bound_stage(bool waits_for_next_peer = false) : stage{waits_for_next_peer} {
    start();
    bind(8, peer);
    pairing.forget();
    heartbeat.forget();
  }
};

} // namespace tandem::test
