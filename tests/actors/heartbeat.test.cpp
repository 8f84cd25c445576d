#include "actors/heartbeat.hpp"

#include "support/probe.hpp"

#include <map>
#include <set>

using namespace tandem;
using namespace tandem::test;
using namespace std::chrono_literals;

namespace {

using time_point = world::time;

/// A heartbeat with connections that only write down what they are told.
struct hospital {
  explicit hospital(const heartbeat_options& options)
      : heart{w.system().spawn<heartbeat>(std::ref(w.home()), options)} {
    w.settle();
  }

  const probe& admit(uint64_t id, role side = role::client) {
    const auto& patient = patients.try_emplace(id, w).first->second;
    join(id, side, patient);
    w.settle();
    return patient;
  }

  void join(uint64_t id, role side, const probe& patient) {
    patient.send(heart, atom::join::value, id, side, patient.as<watched_actor>());
  }

  void leave(uint64_t id) {
    patients.at(id).send(heart, atom::leave::value, id);
    w.settle();
  }

  world w;
  heartbeat_actor heart;
  std::map<uint64_t, probe> patients;
};

/// When a patient was sent this message.
template <class Atom>
std::vector<time_point> times_of(const probe& patient) {
  std::vector<time_point> result;
  for (const auto& letter : patient.letters())
    if (letter.content.match_elements<Atom>())
      result.push_back(letter.when);
  return result;
}

} // namespace

TEST_CASE("the first ping comes within the interval", "[heartbeat]") {
  hospital h{{.client_interval = 10s, .worker_interval = 10s, .timeout = 20s}};
  for (uint64_t id = 1; id <= 200; ++id)
    h.admit(id);
  h.w.advance(10s);
  for (const auto& [id, patient] : h.patients)
    CHECK_FALSE(times_of<atom::ping>(patient).empty());
}

TEST_CASE("later pings come at the interval, give or take a tenth", "[heartbeat]") {
  hospital h{{.client_interval = 10s, .worker_interval = 10s, .timeout = 10s}};
  for (uint64_t id = 1; id <= 50; ++id)
    h.admit(id);
  h.w.advance(200s);
  std::set<time_point> gaps;
  for (const auto& [id, patient] : h.patients) {
    auto pings = times_of<atom::ping>(patient);
    CHECK(pings.size() >= 17);
    for (size_t i = 1; i < pings.size(); ++i)
      gaps.insert(pings[i] - pings[i - 1]);
  }
  CHECK(*gaps.begin() >= 9s);
  CHECK(*gaps.rbegin() <= 11s);
  CHECK(gaps.size() > 1);
}

TEST_CASE("an answer is due once the timeout after the ping has passed", "[heartbeat]") {
  auto [interval, timeout] = GENERATE(table<time_point, time_point>({
      {30s, 20s},
      {10s, 10s},
      {1s, 300ms},
      // Pings that follow within the timeout don't put the deadline off.
      {2s, 15s},
  }));
  hospital h{{.client_interval = interval, .worker_interval = 0ms, .timeout = timeout}};
  const auto tick = heartbeat_options{interval, 0ms, timeout}.tick();
  for (uint64_t id = 1; id <= 20; ++id)
    h.admit(id);
  h.w.advance(8 * (interval + timeout));
  for (const auto& [id, patient] : h.patients) {
    std::optional<time_point> unanswered;
    int checks = 0;
    for (const auto& letter : patient.letters()) {
      if (letter.content.match_elements<atom::ping>()) {
        unanswered = unanswered.value_or(letter.when);
        CHECK(letter.when - *unanswered <= timeout + tick);
        continue;
      }
      REQUIRE(letter.content.match_elements<atom::check>());
      REQUIRE(unanswered);
      CHECK(letter.when - *unanswered >= timeout);
      CHECK(letter.when - *unanswered <= timeout + 2 * tick);
      unanswered.reset();
      ++checks;
    }
    CHECK(checks >= 5);
  }
}

TEST_CASE("each role has its interval", "[heartbeat]") {
  hospital h{{.client_interval = 10s, .worker_interval = 60s, .timeout = 10s}};
  const auto& client = h.admit(1, role::client);
  const auto& worker = h.admit(2, role::worker);
  h.w.advance(600s);
  CHECK(times_of<atom::ping>(client).size() >= 54);
  CHECK(times_of<atom::ping>(client).size() <= 67);
  CHECK(times_of<atom::ping>(worker).size() >= 9);
  CHECK(times_of<atom::ping>(worker).size() <= 12);
}

TEST_CASE("an interval of 0 means no pings, and no timer", "[heartbeat]") {
  hospital h{{.client_interval = 0ms, .worker_interval = 5s, .timeout = 5s}};
  const auto& client = h.admit(1, role::client);
  CHECK(h.w.home().timers() == 0);
  const auto& worker = h.admit(2, role::worker);
  h.w.advance(60s);
  CHECK(client.empty());
  CHECK_FALSE(worker.empty());
  h.leave(2);
  h.w.advance(5s);
  CHECK(h.w.home().timers() == 0);
}

TEST_CASE("whoever left is left alone", "[heartbeat]") {
  hospital h{{.client_interval = 10s, .worker_interval = 10s, .timeout = 10s}};
  h.admit(1);
  const auto& gone = h.admit(2);
  h.w.advance(15s);
  auto before = gone.size();
  h.leave(2);
  h.w.advance(60s);
  CHECK(gone.size() == before);
  CHECK(h.patients.at(1).size() > 5);
}

TEST_CASE("the wheel stands still while nobody is there", "[heartbeat]") {
  hospital h{{.client_interval = 10s, .worker_interval = 10s, .timeout = 10s}};
  CHECK(h.w.home().timers() == 0);
  h.admit(1);
  CHECK(h.w.home().timers() == 1);
  h.leave(1);
  h.w.advance(1s);
  CHECK(h.w.home().timers() == 0);

  const auto& next = h.admit(2);
  h.w.advance(10s);
  CHECK(times_of<atom::ping>(next).size() >= 1);
}

TEST_CASE("joining again changes nothing", "[heartbeat]") {
  hospital h{{.client_interval = 10s, .worker_interval = 10s, .timeout = 10s}};
  const auto& patient = h.admit(1);
  for (int i = 0; i < 5; ++i)
    h.admit(1);
  CHECK(h.w.home().timers() == 1);
  h.w.advance(100s);
  CHECK(times_of<atom::ping>(patient).size() <= 12);
}

TEST_CASE("10,000 connections at once are spread over the interval", "[heartbeat]") {
  constexpr int crowd = 10'000;
  constexpr int buckets = 10;
  hospital h{{.client_interval = 10s, .worker_interval = 10s, .timeout = 10s}};
  probe all{h.w};
  for (uint64_t id = 1; id <= crowd; ++id)
    h.join(id, role::client, all);
  h.w.settle();
  for (int round = 0; round < 3; ++round) {
    all.forget();
    std::map<time_point, int> pings;
    h.w.advance(10s);
    for (auto when : times_of<atom::ping>(all))
      ++pings[when];
    CHECK(pings.size() == buckets);
    for (const auto& [when, count] : pings) {
      // Three times what chance would make of it, at the least.
      CHECK(count > crowd / buckets / 2);
      CHECK(count < crowd / buckets * 3 / 2);
    }
  }
}

TEST_CASE("everyone is told to join a new pairing, pinged or not", "[heartbeat]") {
  hospital h{{.client_interval = 0ms, .worker_interval = 10s, .timeout = 10s}};
  const auto& client = h.admit(1, role::client);
  const auto& worker = h.admit(2, role::worker);
  const auto& gone = h.admit(3, role::client);
  h.leave(3);
  caf::anon_send(h.heart, atom::rejoin::value);
  h.w.settle();
  CHECK(times_of<atom::rejoin>(client).size() == 1);
  CHECK(times_of<atom::rejoin>(worker).size() == 1);
  CHECK(gone.empty());
}

TEST_CASE("a heartbeat that died leaves a timer that does no harm", "[heartbeat]") {
  hospital h{{.client_interval = 10s, .worker_interval = 10s, .timeout = 10s}};
  const auto& patient = h.admit(1);
  caf::anon_send_exit(h.heart, caf::exit_reason::kill);
  h.heart = nullptr;
  h.w.advance(60s);
  CHECK(h.w.home().timers() == 0);
  CHECK(patient.empty());
}

TEST_CASE("a tick is short beside every span, but lets the broker sleep", "[heartbeat]") {
  CHECK(heartbeat_options{30s, 30s, 20s}.tick() == 1s);
  CHECK(heartbeat_options{5s, 30s, 20s}.tick() == 500ms);
  CHECK(heartbeat_options{30s, 30s, 2s}.tick() == 200ms);
  CHECK(heartbeat_options{0ms, 0ms, 2s}.tick() == 200ms);
  CHECK(heartbeat_options{1ms, 1ms, 1ms}.tick() == 10ms);
}
