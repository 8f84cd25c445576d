/// A host: the connection of a framed worker that serves many clients at once.
#pragma once

#include "actors/connection.hpp"
#include "actors/host_actor.hpp"
#include "actors/life_check.hpp"
#include "actors/messages.hpp"
#include "net/link.hpp"
#include "net/multiplexer.hpp"
#include "net/pinned.hpp"
#include "net/slim_actor.hpp"

#include <caf/actor_addr.hpp>
#include <caf/stateful_actor.hpp>

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace tandem {

class host_state : public net::multiplexer_events {
public:
  using base = net::pinned<net::slim_actor<host_actor>>;

  static inline const char* name = "host";

  explicit host_state(base* self) : self_{self} {}
  host_state(const host_state&) = delete;
  ~host_state() override;

  /// What it is about; comes before all else.
  void take(net::link_ptr link, peer_info_ptr who, const connection_options& options);
  void start();

  // -- messages, as the contract has them
  void open(uint64_t id, const peer_info& client);
  void end(end_reason reason);
  void ping();
  void check();
  void rejoin();

  // -- the multiplexer's events
  void on_capacity(uint32_t slots) override;
  void on_drain() override;
  void on_end(const ending& how) override;

private:
  void join();
  std::vector<channel_ref> channels();
  caf::error conclude(const ending& how);

  base* self_;
  peer_info_ptr who_;
  /// Of its channels.
  std::shared_ptr<const connection_options> options_;
  std::unique_ptr<net::multiplexer> hub_;
  /// Channels that it opened, by their ids. Some may have gone.
  std::vector<std::pair<uint64_t, caf::actor_addr>> channels_;
  uint64_t opened_ = 0;
  uint32_t capacity_ = 1;
  life_check life_;
  bool draining_ = false;
  bool over_ = false;
};

class host final : public caf::stateful_actor<host_state, host_state::base> {
public:
  using super = caf::stateful_actor<host_state, host_state::base>;

  host(caf::actor_config& cfg, net::home& where, net::link_ptr link, peer_info who,
       const std::shared_ptr<const connection_options>& options);

  void initialize() override;

protected:
  bool handle(const caf::type_erased_tuple& content) override;
};

} // namespace tandem
