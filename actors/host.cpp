#include "actors/host.hpp"

#include "actors/directory.hpp"
#include "actors/log.hpp"
#include "actors/spawn_peer.hpp"

#include <caf/actor_cast.hpp>
#include <caf/send.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>

namespace tandem {

host_state::~host_state() {
  if (!hub_)
    return;
  auto home = hub_->connection().where().index();
  if (auto heartbeat = directory::find_heartbeat(self_->system(), home))
    caf::anon_send(heartbeat, atom::leave::value, who_->id);
}

void host_state::take(net::link_ptr link, peer_info_ptr who, const connection_options& options) {
  who_ = std::move(who);
  capacity_ = who_->capacity;
  auto own = options;
  // A channel is for one client: the next one has another.
  own.waits_for_next_peer = false;
  options_ = std::make_shared<const connection_options>(own);
  hub_ = std::make_unique<net::multiplexer>(std::move(link), who_, framed_options(*who_, options),
                                            *this);
}

void host_state::start() {
  // Before the link, which may end while it starts.
  join();
  hub_->start();
  spdlog::debug("connected id={} role={} key={} remote={} subprotocol={} subject={} capacity={}",
                who_->id, to_string(who_->side), log_value(who_->key), who_->remote,
                log_value(who_->subprotocol), log_value(who_->subject), capacity_);
}

/// Makes itself known to those who care for all connections.
void host_state::join() {
  const auto self = caf::actor_cast<host_actor>(self_);
  const auto home = hub_->connection().where().index();
  if (auto heartbeat = directory::find_heartbeat(self_->system(), home))
    self_->send(heartbeat, atom::join::value, who_->id, who_->side,
                caf::actor_cast<watched_actor>(self));
  if (auto pairing = directory::find_pairing(self_->system(), who_->route, who_->key))
    self_->send(
        pairing, atom::enlist::value,
        host_member{who_, self, capacity_, static_cast<int32_t>(home), draining_, channels()});
  else
    self_->send(self, atom::end::value, end_reason::shutting_down);
}

/// Those that are there.
std::vector<channel_ref> host_state::channels() {
  std::vector<channel_ref> result;
  std::erase_if(channels_, [&](const auto& x) {
    auto there = caf::actor_cast<caf::strong_actor_ptr>(x.second);
    if (there)
      result.push_back({x.first, caf::actor_cast<connection_actor>(there)});
    return !there;
  });
  return result;
}

// -- channels -----------------------------------------------------------------

void host_state::open(uint64_t id, const peer_info& client) {
  if (over_)
    return;
  ++opened_;
  auto channel = *who_;
  channel.id = id;
  channel.host = who_->id;
  channel.capacity = 1;
  channel.subprotocol = client.subprotocol;
  auto link = hub_->open();
  auto& home = link->where();
  const auto actor = self_->system().spawn<connection>(std::ref(home), std::move(link),
                                                       std::move(channel), options_);
  // Those that have gone are forgotten once they are the most.
  if (channels_.size() > 2 * hub_->channels())
    std::ignore = channels();
  channels_.emplace_back(id, actor.address());
}

void host_state::on_capacity(uint32_t slots) {
  capacity_ = slots;
  if (auto pairing = directory::find_pairing(self_->system(), who_->route, who_->key))
    self_->send(pairing, atom::capacity::value, who_->id, capacity_);
}

void host_state::on_drain() {
  draining_ = true;
  if (auto pairing = directory::find_pairing(self_->system(), who_->route, who_->key))
    self_->send(pairing, atom::drain::value, who_->id);
}

void host_state::rejoin() {
  if (over_)
    return;
  join();
  for (const auto& x : channels())
    self_->send(x.handle, atom::rejoin::value);
}

// -- the end ------------------------------------------------------------------

void host_state::end(end_reason reason) {
  if (over_)
    return;
  const auto how = ending::by(reason);
  hub_->close(how);
  self_->quit(conclude(how));
}

/// The channels hear of it when this actor has gone, so that the pairing does before it hears of
/// them.
void host_state::on_end(const ending& how) {
  // quit() works only from inside the behaviour.
  self_->send_exit(caf::strong_actor_ptr{self_->ctrl()}, conclude(how));
}

/// Tells the log. Returns the exit reason.
caf::error host_state::conclude(const ending& how) {
  over_ = true;
  const auto stats = hub_->connection().stats();
  spdlog::info("disconnected id={} role={} key={} remote={} subprotocol={} subject={} reason={} "
               "code={} messages_in={} bytes_in={} bytes_out={} rtt_us={} channels={} left={} "
               "dropped={}",
               who_->id, to_string(who_->side), log_value(who_->key), who_->remote,
               log_value(who_->subprotocol), log_value(who_->subject), to_string(how.reason),
               how.code, stats.messages_in, stats.bytes_in, stats.bytes_out, stats.rtt.count(),
               opened_, hub_->channels(), hub_->dropped());
  return make_error(how);
}

// -- the heartbeat ------------------------------------------------------------

void host_state::ping() {
  if (!over_)
    life_.ping(hub_->connection());
}

void host_state::check() {
  if (!over_ && life_.missed(hub_->connection()))
    end(end_reason::heartbeat_missed);
}

// -- the actor ----------------------------------------------------------------

host::host(caf::actor_config& cfg, net::home& where, net::link_ptr link, peer_info who,
           const std::shared_ptr<const connection_options>& options)
    : super{cfg, where} {
  state.take(std::move(link), share(std::move(who)), *options);
}

void host::initialize() {
  super::initialize();
  state.start();
}

bool host::handle(const caf::type_erased_tuple& content) {
  return dispatch(
      content, [this](atom::open, uint64_t id, const peer_info& client) { state.open(id, client); },
      [this](atom::end, end_reason reason) { state.end(reason); },
      [this](atom::ping) { state.ping(); }, [this](atom::check) { state.check(); },
      [this](atom::rejoin) { state.rejoin(); });
}

} // namespace tandem
