// Random histories of clients and workers, with the pairing and the connections as they are and
// only the sockets played. Actors run in a random order, so that messages overtake each other as
// they do between threads.

#include "actors/connection.hpp"
#include "actors/pairing.hpp"
#include "support/probe.hpp"

#include <map>
#include <random>
#include <set>

using namespace tandem;
using namespace tandem::test;
using namespace std::chrono_literals;

namespace {

constexpr int64_t window = 4000;
constexpr auto patience = 10s;

struct policy {
  bool replaces;
  bool waits;
  /// The pairing dies now and then.
  bool restarts;
};

/// What a played socket sends; every message comes in one or more chunks.
struct note {
  uint64_t from;
  /// From 1.
  size_t number;
  bool message_ends;

  /// Of a size that makes credit run out, and flow back, now and then.
  net::chunk chunk() const {
    auto text =
        std::to_string(from) + ' ' + std::to_string(number) + (message_ends ? " ends" : " goes on");
    text.resize(100 + number * 337 % 1000, '.');
    return chunk_of(text);
  }

  static note read(const net::chunk& x) {
    auto text = text_of(x);
    auto space = text.find(' ');
    return {std::stoull(text), std::stoull(text.substr(space)),
            text.find("ends") != std::string::npos};
  }
};

struct guest {
  peer_info who;
  fake_link& link;
  connection_actor handle;
  /// Of each note that it said: does a message end with it?
  std::vector<bool> notes = {};

  bool alive() const { return link.open(); }
};

class history {
public:
  history(unsigned seed, policy how) : policy_{how}, random_{seed} {
    start_pairing();
    extension_.send(pairing_, atom::subscribe::value, extension_.as<extension_actor>());
    w_.settle();
  }

  void run() {
    for (int i = 0; i < 120; ++i) {
      act();
      for (auto jobs = below(6); jobs > 0 && run_one(); --jobs) {
      }
      if (chance(10))
        rest();
    }
    rest();
    for (auto ticket : std::exchange(promised_, {}))
      admission_.send(pairing_, atom::withdraw::value, ticket);
    w_.advance(patience);
    check_who_waits();
    end_all();
    CHECK(states_.at(pairing_.id())->empty());
    check_notes();
    if (!policy_.restarts)
      check_events();
  }

private:
  // -- chance

  unsigned below(unsigned n) { return static_cast<unsigned>(random_() % n); }
  bool chance(unsigned percent) { return below(100) < percent; }

  bool run_one() {
    return w_.run_one([this](size_t n) { return below(static_cast<unsigned>(n)); });
  }

  guest* anybody() {
    std::vector<guest*> alive;
    for (auto& [id, x] : guests_)
      if (x.alive())
        alive.push_back(&x);
    return alive.empty() ? nullptr : alive[below(static_cast<unsigned>(alive.size()))];
  }

  // -- what happens

  void act() {
    read_verdicts();
    auto dice = below(100);
    if (dice < 25)
      claim_for(chance(50) ? role::client : role::worker, chance(50) ? "a" : "b");
    else if (dice < 50)
      admit_or_withdraw();
    else if (dice < 53)
      w_.advance(patience / (1 + below(4)));
    else if (dice < 55 && policy_.restarts)
      restart_pairing();
    else if (auto* who = anybody())
      act(*who, below(100));
  }

  void act(guest& who, unsigned dice) {
    if (dice < 60)
      speak(who, policy_.restarts || chance(70));
    else if (dice < 75)
      who.link.drain();
    else if (dice < 80)
      who.link.end({end_reason::closed_by_peer, 1000, "bye"});
    else if (dice < 85)
      who.link.end(ending::by(end_reason::vanished));
    else if (dice < 90)
      who.link.hang_up();
    else if (dice < 93)
      caf::anon_send_exit(who.handle, caf::exit_reason::kill);
    else if (dice < 95)
      caf::anon_send(who.handle, atom::end::value, end_reason::heartbeat_missed);
  }

  void claim_for(role side, const std::string& key) {
    claims_.push_back({claims_.size() + 1, side, key});
    admission_.send(pairing_, claims_.back());
  }

  void read_verdicts() {
    while (!admission_.empty())
      if (auto answer = admission_.take<verdict>(); answer.why == refusal::none)
        promised_.push_back(answer.ticket);
  }

  void admit_or_withdraw() {
    if (promised_.empty())
      return;
    auto at = promised_.begin() + below(static_cast<unsigned>(promised_.size()));
    auto ticket = *at;
    promised_.erase(at);
    if (chance(20))
      admission_.send(pairing_, atom::withdraw::value, ticket);
    else
      admit(ticket);
  }

  void admit(uint64_t id) {
    const auto& [side, key] = std::tie(claims_.at(id - 1).side, claims_.at(id - 1).key);
    auto& link = w_.make_link(below(2));
    peer_info who{id, side, key, "remote"};
    auto handle =
        w_.system().spawn<connection>(std::ref(link.where()), net::link_ptr{&link}, who,
                                      std::make_shared<const connection_options>(
                                          connection_options{window, window, policy_.waits}));
    guests_.try_emplace(id, guest{who, link, handle});
  }

  /// False if its socket isn't read.
  bool speak(guest& who, bool message_ends) {
    if (who.link.paused())
      return false;
    who.notes.push_back(message_ends);
    who.link.inside = !message_ends;
    who.link.receive(note{who.who.id, who.notes.size(), message_ends}.chunk());
    return true;
  }

  void start_pairing() {
    pairing_ = w_.system().spawn(
        [this](pairing_actor::stateful_pointer<pairing_state> self,
               const std::vector<pairing_options>& routes) {
          states_[self->id()] = &self->state;
          return pairing(self, routes);
        },
        std::vector{pairing_options{policy_.replaces, policy_.waits, patience}});
    directory::publish(w_.system(), {pairing_});
  }

  /// As the supervisor does it, which learns of the death at some time after it.
  void restart_pairing() {
    auto dead = std::make_shared<bool>(false);
    caf::actor_cast<caf::actor>(pairing_)->attach_functor([dead] { *dead = true; });
    caf::anon_send_exit(pairing_, caf::exit_reason::kill);
    while (!*dead)
      run_one();
    for (auto jobs = below(10); jobs > 0 && run_one(); --jobs) {
    }
    start_pairing();
    for (auto& [id, x] : guests_)
      if (x.alive())
        caf::anon_send(x.handle, atom::rejoin::value);
  }

  void end_all() {
    if (chance(50))
      admission_.send(pairing_, atom::shutdown::value);
    else
      while (auto* who = anybody())
        who->link.end(ending::by(end_reason::vanished));
    while (run_one()) {
    }
    w_.settle();
    CHECK(anybody() == nullptr);
  }

  // -- what has to be true

  /// Has all come to rest, and looks.
  void rest() {
    while (run_one()) {
    }
    w_.settle();
    read_verdicts();
    std::map<std::pair<std::string, role>, guest*> seats;
    for (auto& [id, x] : guests_)
      if (x.alive())
        CHECK(seats.try_emplace({x.who.key, x.who.side}, &x).second);
    for (auto& [seat, x] : seats) {
      auto across = seats.find({seat.first, other(seat.second)});
      check_bound(*x, across == seats.end() ? nullptr : across->second);
    }
  }

  /// What `from` sends gets to `to`, and to nobody else.
  void check_bound(guest& from, guest* to) {
    auto drain = [&] {
      if (to)
        to->link.drain();
      w_.settle();
    };
    drain();
    CHECK((!to || !from.link.paused()));
    if (speak(from, true)) {
      w_.settle();
      for (auto& [id, x] : guests_)
        CHECK(has_heard(x, from) == (&x == to));
    }
    drain();
    // All but what is less than a step of credit.
    if (to)
      CHECK(from.link.allowance > window * 3 / 4);
    CHECK(from.link.allowance <= window);
  }

  /// True if the last that `listener` got is the last that `speaker` said.
  static bool has_heard(const guest& listener, const guest& speaker) {
    if (listener.link.sent.empty())
      return false;
    auto last = note::read(listener.link.sent.back());
    return last.from == speaker.who.id && last.number == speaker.notes.size();
  }

  /// After as long as anyone may wait, only pairs are left.
  void check_who_waits() {
    std::map<std::string, int> there;
    for (auto& [id, x] : guests_)
      if (x.alive())
        ++there[x.who.key];
    for (const auto& [key, count] : there)
      CHECK(count == 2);
  }

  /// Nothing came twice, out of order, or from someone with another key, and no half message has
  /// met another.
  void check_notes() {
    std::set<std::pair<uint64_t, size_t>> heard;
    for (auto& [id, listener] : guests_) {
      std::optional<note> before;
      for (const auto& chunk : listener.link.sent) {
        auto now = note::read(chunk);
        const auto& speaker = guests_.at(now.from);
        CHECK(heard.emplace(now.from, now.number).second);
        CHECK(speaker.who.key == listener.who.key);
        CHECK(speaker.who.side == other(listener.who.side));
        if (before && before->from == now.from)
          CHECK(now.number == before->number + 1);
        else
          CHECK(((!before || before->message_ends) &&
                 (now.number == 1 || speaker.notes[now.number - 2])));
        before = now;
      }
    }
  }

  /// Everyone came once, was in one pair at a time, and went once.
  void check_events() {
    std::map<uint64_t, role> there;
    std::map<uint64_t, uint64_t> peers;
    caf::message_handler read{
        [&](const connected& x) { CHECK(there.try_emplace(x.who.id, x.who.side).second); },
        [&](const paired& x) {
          CHECK(there.at(x.client) == role::client);
          CHECK(there.at(x.worker) == role::worker);
          CHECK(peers.try_emplace(x.client, x.worker).second);
          CHECK(peers.try_emplace(x.worker, x.client).second);
        },
        [&](const unpaired& x) {
          CHECK(peers.at(x.client) == x.worker);
          CHECK(peers.erase(x.client) + peers.erase(x.worker) == 2);
        },
        [&](const disconnected& x) {
          CHECK_FALSE(peers.contains(x.who.id));
          CHECK(there.erase(x.who.id) == 1);
        },
    };
    for (auto letter : extension_.letters())
      CHECK(read(letter.content));
    CHECK(there.empty());
  }

  policy policy_;
  std::mt19937 random_;
  world w_{2};
  probe admission_{w_};
  probe extension_{w_};
  pairing_actor pairing_;
  /// Of the pairings that were there, by their actor's id.
  std::map<caf::actor_id, const pairing_state*> states_;
  /// By ticket, from 1.
  std::vector<claim> claims_;
  std::vector<uint64_t> promised_;
  std::map<uint64_t, guest> guests_;
};

} // namespace

TEST_CASE("whatever happens in whatever order, pairs are right and nothing is left", "[pairing]") {
  const auto how = GENERATE(policy{false, false, false}, policy{false, true, false},
                            policy{true, false, false}, policy{true, true, false});
  for (unsigned seed = 1; seed <= 150; ++seed) {
    INFO("replaces=" << how.replaces << " waits=" << how.waits << " seed=" << seed);
    history{seed, how}.run();
  }
}

TEST_CASE("a pairing that dies again and again leaves pairs right", "[pairing]") {
  const auto how = GENERATE(policy{false, true, true}, policy{true, false, true});
  for (unsigned seed = 1; seed <= 150; ++seed) {
    INFO("replaces=" << how.replaces << " waits=" << how.waits << " seed=" << seed);
    history{seed, how}.run();
  }
}
