// Random histories of a pool, each step of which is compared to a model: what is free is given to
// whoever is first, and to nobody else. Everyone else but the pairing is played.
#include "support/pool_model.hpp"

#include <algorithm>
#include <random>
#include <set>

using namespace tandem;
using namespace tandem::test;
using namespace std::chrono_literals;

namespace {

constexpr size_t max_waiting = 6;
constexpr int steps = 400;

class history : pool_model {
public:
  history(unsigned seed, const pairing_options& options) : pool_model{options}, random_{seed} {
    caf::anon_send_exit(subject, caf::exit_reason::kill);
    start_pairing();
  }

  void run() {
    for (int i = 0; i < steps; ++i) {
      act();
      compare();
    }
    end_all();
    CHECK(states_.at(subject.id())->empty());
  }

private:
  // -- what happens

  unsigned below(size_t n) { return static_cast<unsigned>(random_() % n); }
  bool chance(unsigned percent) { return below(100) < percent; }

  template <class Range>
  auto pick(const Range& from) {
    return std::next(from.begin(), below(from.size()));
  }

  std::optional<uint64_t> any_worker(bool host) {
    std::vector<uint64_t> all;
    for (const auto& [id, x] : workers)
      if (x.host == host && !dying.contains(id))
        all.push_back(id);
    return all.empty() ? std::nullopt : std::optional{*pick(all)};
  }

  std::optional<uint64_t> any_client(bool joined) {
    std::vector<uint64_t> all;
    for (const auto& [id, x] : clients)
      if (x.joined == joined)
        all.push_back(id);
    return all.empty() ? std::nullopt : std::optional{*pick(all)};
  }

  void act() {
    const auto dice = below(1000);
    if (dice < 250)
      ask_for_client();
    else if (dice < 450)
      join_or_withdraw(chance(85));
    else if (dice < 520)
      client_dies();
    else if (dice < 570)
      come_as_worker();
    else if (dice < 600)
      worker_dies();
    else if (dice < 640)
      resize();
    else if (dice < 650)
      drain();
    else if (dice < 780 && !opening.empty())
      channel_joins(*pick(opening));
    else if (dice < 870 && !to_answer.empty())
      answer(*pick(to_answer));
    else if (dice < 960 && !dying.empty())
      die(*pick(dying));
    else if (dice < 990)
      w.advance(std::chrono::seconds{below(15)});
    else
      restart();
  }

  void ask_for_client() {
    claim request{.ticket = ++last_id_, .key = "key", .sticky = below(3)};
    request.priority = static_cast<int32_t>(below(3)) - 1;
    const bool room = free() > 0 || count(stage::waiting) < max_waiting;
    const auto answer = ask(request);
    CHECK(answer.why == (room ? refusal::none : refusal::queue_full));
    if (answer.why == refusal::none)
      clients[request.ticket] = {.priority = request.priority};
  }

  void join_or_withdraw(bool joins) {
    auto id = any_client(false);
    if (!id)
      return;
    if (joins)
      return client_joins(*id);
    tell(admission, atom::withdraw::value, *id);
    clients.erase(*id);
  }

  void client_joins(uint64_t id, uint64_t peer = 0) {
    auto& x = clients.at(id);
    peer_info who{id, role::client, "key", "remote"};
    who.priority = x.priority;
    if (id % 2 == 0)
      who.frames = framing::binary;
    auto& me = guests.try_emplace(id, guest{who, probe{w}}).first->second;
    x.joined = true;
    x.since = w.now();
    if (x.at == stage::unknown)
      queue_up(x);
    join_again(me, peer);
  }

  /// Who is promised what can't be seen until they join.
  void have_all_join() {
    while (auto id = any_client(false)) {
      client_joins(*id);
      compare();
    }
  }

  void client_dies() {
    if (auto id = any_client(true))
      die(*id);
  }

  void come_as_worker() {
    const auto id = ++last_id_;
    const bool host = chance(50);
    const auto capacity = host ? 1 + below(4) : 1;
    claim request{.ticket = id, .side = role::worker, .key = "key"};
    if (host)
      request.frames = framing::binary;
    REQUIRE(ask(request).why == refusal::none);
    workers.try_emplace(id, worker{host, capacity});
    if (host)
      come(id, capacity);
    else
      join(id, role::worker);
  }

  void worker_dies() {
    have_all_join();
    if (auto id = any_worker(chance(50)))
      die(*id);
  }

  void resize() {
    have_all_join();
    auto id = any_worker(true);
    if (!id)
      return;
    const auto slots = below(6);
    workers.at(*id).capacity = slots;
    tell(hosts.at(*id).actor, atom::capacity::value, *id, uint32_t{slots});
  }

  void drain() {
    have_all_join();
    auto id = any_worker(true);
    if (!id)
      return;
    workers.at(*id).draining = true;
    tell(hosts.at(*id).actor, atom::drain::value, *id);
  }

  void channel_joins(uint64_t id) {
    opening.erase(id);
    join_again(guests.at(id));
  }

  /// It is rid of its last peer.
  void answer(uint64_t id) {
    to_answer.erase(id);
    if (auto at = clients.find(id); at != clients.end()) {
      at->second.fresh = false;
      queue_up(at->second);
    } else {
      workers.at(id).taken.clear();
    }
    join_again(guests.at(id));
  }

  void die(uint64_t id) {
    dying.erase(id);
    to_answer.erase(id);
    const ending how{end_reason::vanished, 0, "", chance(10)};
    if (clients.erase(id) > 0)
      return bury(guests, id, how);
    have_all_join();
    peers.erase(id);
    if (auto raw = workers.find(id); raw == workers.end()) {
      for (auto& [worker_id, x] : workers)
        x.taken.erase(id);
      bury(guests, id, how);
    } else if (!raw->second.host) {
      workers.erase(raw);
      bury(guests, id, how);
    } else {
      host_dies(id, how);
    }
  }

  void host_dies(uint64_t id, const ending& how) {
    const auto gone = workers.extract(id);
    bury(hosts, id, how);
    for (auto channel : gone.mapped().taken)
      if (opening.erase(channel) == 0) {
        dying.insert(channel);
      } else {
        for (auto& [client_id, x] : clients)
          if (x.peer == channel) {
            x.fresh = false;
            queue_up(x);
          }
        bury(guests, channel, how);
      }
  }

  template <class Map>
  void bury(Map& where, uint64_t id, const ending& how) {
    auto dead = where.extract(id);
    dead.mapped().actor.exit(make_error(how));
    w.settle();
  }

  // -- the restart

  void start_pairing() {
    subject = w.system().spawn(
        [this](pairing_actor::stateful_pointer<pairing_state> self,
               const std::vector<pairing_options>& routes) {
          states_[self->id()] = &self->state;
          return pairing(self, routes);
        },
        std::vector{settings});
    w.settle();
  }

  /// Everyone joins the new one in any order; tickets of the old one mean nothing to it.
  void restart() {
    while (!dying.empty()) {
      die(*dying.begin());
      compare();
    }
    caf::anon_send_exit(subject, caf::exit_reason::kill);
    start_pairing();
    to_answer.clear();
    for (auto& [id, x] : clients) {
      x.fresh = true;
      if (x.at != stage::bound)
        x.at = stage::unknown, x.peer = 0;
    }
    std::vector<uint64_t> all;
    for (auto& [id, x] : workers) {
      x.known = false;
      all.push_back(id);
    }
    for (const auto& [id, unused] : guests)
      if (!workers.contains(id) && !opening.contains(id))
        all.push_back(id);
    std::ranges::shuffle(all, random_);
    for (auto id : all) {
      join_new_pairing(id);
      compare();
    }
  }

  void join_new_pairing(uint64_t id) {
    if (auto at = clients.find(id); at != clients.end())
      return client_joins(id, at->second.peer);
    const auto peer = peers.contains(id) ? peers.at(id) : 0;
    auto at = workers.find(id);
    if (at == workers.end())
      return join_again(guests.at(id), peer);
    auto& x = at->second;
    x.known = true;
    if (!x.host) {
      if (peer == 0)
        x.taken.clear();
      return join_again(guests.at(id), peer);
    }
    auto& me = hosts.at(id);
    std::vector<channel_ref> channels;
    for (auto channel : x.taken)
      channels.push_back({channel, guests.at(channel).actor.as<connection_actor>()});
    tell(
        me.actor, atom::enlist::value,
        host_member{share(me.who), me.actor.as<host_actor>(), x.capacity, 0, x.draining, channels});
  }

  void end_all() {
    while (auto id = any_client(false)) {
      tell(admission, atom::withdraw::value, *id);
      clients.erase(*id);
    }
    for (auto* map : {&guests})
      for (auto& [id, x] : *map)
        x.actor.exit(make_error(ending::by(end_reason::vanished)));
    for (auto& [id, x] : hosts)
      x.actor.exit(make_error(ending::by(end_reason::vanished)));
    w.settle();
    w.advance(1h);
  }

  std::mt19937 random_;
  uint64_t last_id_ = 0;
  std::map<caf::actor_id, const pairing_state*> states_;
};

} // namespace

TEST_CASE("whatever happens in a pool, the model says the same", "[pool]") {
  const auto select = GENERATE(selection::least_loaded, selection::round_robin, selection::random,
                               selection::sticky);
  const bool waits = GENERATE(false, true);
  const bool keeps = GENERATE(false, true);
  for (unsigned seed = 1; seed <= 25; ++seed) {
    INFO("select=" << static_cast<int>(select) << " waits=" << waits << " keeps=" << keeps
                   << " seed=" << seed);
    history{seed,
            {.waits_for_next_peer = waits,
             .select = select,
             .max_waiting = max_waiting,
             .keeps_raw_workers = keeps}}
        .run();
  }
}
