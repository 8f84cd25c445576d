#include "actors/supervisor.hpp"

#include "support/probe.hpp"

#include <map>

using namespace tandem;
using namespace tandem::test;
using namespace std::chrono_literals;

namespace {

constexpr auto interval = 10s;

/// How often a child that dies is started anew.
constexpr int max_restarts = 10;

const auto witness_name = caf::atom("witness");

/// An extension that passes on what it hears to whoever has this name.
extension_actor::behavior_type witness(extension_actor::pointer self) {
  auto tell = [self](const auto& event) {
    auto listener = self->system().registry().get(witness_name);
    self->send(caf::actor_cast<extension_actor>(listener), event);
  };
  return {
      [=](const connected& event) { tell(event); },
      [=](const paired& event) { tell(event); },
      [=](const unpaired& event) { tell(event); },
      [=](const disconnected& event) { tell(event); },
  };
}

/// A broker but for the sockets.
struct broker {
  explicit broker(size_t shards = 1) {
    w.system().registry().put(witness_name, listener.as<caf::strong_actor_ptr>());
    root = w.system().spawn(supervisor,
                            std::make_shared<broker_parts>(broker_parts{
                                .homes = {w.home(0), w.home(1)},
                                .gate = gate,
                                .connections = {connection_options_by_role{}},
                                .heartbeats = {interval, interval, interval},
                                .pairs = {{}},
                                .shards = shards,
                                .extensions = {{"witness",
                                                [](caf::actor_system& system) -> extension_actor {
                                                  return system.spawn(witness);
                                                }}},
                            }));
    w.settle();
  }

  ~broker() { w.system().registry().erase(witness_name); }

  pairing_actor pairing() { return directory::find_pairing(w.system(), 0); }
  heartbeat_actor heartbeat(size_t home) { return directory::find_heartbeat(w.system(), home); }

  refusal ask(uint64_t id, role side, const std::string& key = "key") {
    auto answer = refusal::broker_fault;
    gate.keeper->ask({id, side, key}, [&](const verdict& x) { answer = x.why; });
    w.settle();
    return answer;
  }

  fake_link& enter(uint64_t id, role side, size_t home = 0, const std::string& key = "key") {
    REQUIRE(ask(id, side, key) == refusal::none);
    auto& link = w.make_link(home);
    gate.keeper->admit({id, side, key, "remote"}, net::link_ptr{&link});
    w.settle();
    return link;
  }

  template <class Handle>
  void kill(const Handle& who) {
    caf::anon_send_exit(who, caf::exit_reason::kill);
    w.settle();
  }

  /// The extension, by the last word of it.
  caf::actor extension() { return caf::actor_cast<caf::actor>(listener.letters().back().from); }

  /// Has someone come and go: is it noticed?
  bool extension_listens(uint64_t id) {
    listener.forget();
    auto& link = enter(id, role::client);
    link.end(ending::by(end_reason::vanished));
    w.settle();
    return listener.size() == 2;
  }

  world w{2};
  fake_gate gate{w.home(0)};
  probe listener{w};
  supervisor_actor root;
};

bool relays(world& w, fake_link& from, fake_link& to) {
  auto before = to.sent.size();
  from.receive(chunk_of("hello"));
  w.settle();
  return to.sent.size() == before + 1;
}

} // namespace

TEST_CASE("the supervisor starts everything that a broker needs", "[supervisor]") {
  broker b;
  CHECK(b.gate.keeper);
  CHECK(b.pairing());
  CHECK(b.heartbeat(0));
  CHECK(b.heartbeat(1));
  CHECK_FALSE(b.heartbeat(2));
  auto& client = b.enter(1, role::client, 0);
  auto& worker = b.enter(2, role::worker, 1);
  CHECK(relays(b.w, client, worker));
  CHECK(relays(b.w, worker, client));
  b.w.advance(interval);
  CHECK(client.pings > 0);
  CHECK(worker.pings > 0);
  CHECK(b.listener.take<connected>().who.id == 1);
  CHECK(b.listener.take<connected>().who.id == 2);
  CHECK(b.listener.take<paired>().client == 1);
}

TEST_CASE("a new pairing learns of its connections and leaves the pairs alone", "[supervisor]") {
  broker b;
  auto& client = b.enter(1, role::client, 0);
  auto& worker = b.enter(2, role::worker, 1);
  CHECK(relays(b.w, client, worker));
  auto allowance = client.allowance;
  auto old = b.pairing();
  b.kill(old);
  REQUIRE(b.pairing());
  CHECK(b.pairing() != old);
  CHECK(client.allowance == allowance);
  CHECK(relays(b.w, client, worker));
  CHECK(b.ask(3, role::client) == refusal::key_taken);
  CHECK(b.ask(4, role::worker) == refusal::key_taken);

  client.end({end_reason::closed_by_peer, 1000, "bye"});
  b.w.settle();
  REQUIRE(worker.closed);
  CHECK(worker.closed->text == "bye");
  CHECK(b.ask(5, role::client) == refusal::none);
}

TEST_CASE("a new pairing serves who waited before", "[supervisor]") {
  broker b;
  auto& client = b.enter(1, role::client);
  b.kill(b.pairing());
  auto& worker = b.enter(2, role::worker);
  CHECK(relays(b.w, client, worker));
}

TEST_CASE("a new heartbeat learns of its connections", "[supervisor]") {
  broker b;
  auto& client = b.enter(1, role::client, 0);
  auto& worker = b.enter(2, role::worker, 1);
  auto old = b.heartbeat(1);
  auto other = b.heartbeat(0);
  b.kill(old);
  REQUIRE(b.heartbeat(1));
  CHECK(b.heartbeat(1) != old);
  CHECK(b.heartbeat(0) == other);
  b.w.advance(interval);
  CHECK(client.pings > 0);
  CHECK(worker.pings > 0);
}

TEST_CASE("a new admission takes over the gate", "[supervisor]") {
  broker b;
  // The admission is known to those alone whom it asks.
  probe pairing{b.w};
  auto real = b.pairing();
  directory::publish(b.w.system(), {pairing.as<pairing_actor>()});
  b.ask(1, role::client);
  auto old = pairing.letters().front().from;
  directory::publish(b.w.system(), {real});

  auto* keeper = b.gate.keeper;
  b.kill(caf::actor_cast<caf::actor>(old));
  REQUIRE(b.gate.keeper);
  CHECK(b.gate.keeper != keeper);
  auto& client = b.enter(2, role::client);
  auto& worker = b.enter(3, role::worker);
  CHECK(relays(b.w, client, worker));
}

TEST_CASE("a new extension hears of what comes", "[supervisor]") {
  broker b;
  REQUIRE(b.extension_listens(1));
  auto old = b.extension();
  b.kill(old);
  CHECK(b.extension_listens(2));
  CHECK(b.extension() != old);
}

TEST_CASE("a new pairing knows the extensions", "[supervisor]") {
  broker b;
  b.kill(b.pairing());
  CHECK(b.extension_listens(1));
}

TEST_CASE("a child that dies again and again is given up, and the others live on", "[supervisor]") {
  broker b;
  uint64_t id = 1;
  for (int i = 0; i < max_restarts; ++i) {
    REQUIRE(b.extension_listens(id++));
    b.kill(b.extension());
  }
  REQUIRE(b.extension_listens(id++));
  auto last = b.extension();
  b.kill(last);
  CHECK_FALSE(b.extension_listens(id++));

  auto old = b.pairing();
  b.kill(old);
  CHECK(b.pairing() != old);
  CHECK(relays(b.w, b.enter(id, role::client), b.enter(id + 1, role::worker)));
}

TEST_CASE("of a pairing in shards, one is started anew alone", "[supervisor]") {
  constexpr size_t shards = 3;
  broker b{shards};
  std::vector<fake_link*> clients;
  std::vector<fake_link*> workers;
  for (uint64_t i = 0; i < 20; ++i) {
    const auto key = std::to_string(i);
    clients.push_back(&b.enter(2 * i + 1, role::client, i % 2, key));
    workers.push_back(&b.enter(2 * i + 2, role::worker, i % 2, key));
  }
  auto all_relay = [&] {
    for (size_t i = 0; i < clients.size(); ++i)
      CHECK(relays(b.w, *clients[i], *workers[i]));
  };
  all_relay();
  auto find = [&](size_t shard) { return directory::find_pairing(b.w.system(), shard); };
  const pairing_actor before[shards] = {find(0), find(1), find(2)};
  b.kill(before[1]);
  CHECK(find(0) == before[0]);
  CHECK(find(1) != before[1]);
  CHECK(find(2) == before[2]);
  all_relay();
  b.listener.forget();
  // Every key is taken as before, and every shard tells the extension.
  for (uint64_t i = 0; i < 20; ++i) {
    CHECK(b.ask(100 + i, role::client, std::to_string(i)) == refusal::key_taken);
    clients[i]->end({end_reason::closed_by_peer, 1000, "bye"});
    b.w.settle();
    CHECK(workers[i]->closed);
    CHECK(b.listener.size() == 3);
    b.listener.forget();
  }
  // A withdrawn claim is its shard's to forget.
  for (uint64_t i = 0; i < 20; ++i) {
    CHECK(b.ask(200 + i, role::client, std::to_string(i)) == refusal::none);
    b.gate.keeper->withdraw(200 + i);
    b.w.settle();
    CHECK(b.ask(300 + i, role::client, std::to_string(i)) == refusal::none);
    b.gate.keeper->withdraw(300 + i);
  }
  caf::anon_send(b.root, atom::shutdown::value);
  b.w.settle();
  CHECK_FALSE(b.gate.keeper);
}

TEST_CASE("a shutdown closes the gate and every connection", "[supervisor]") {
  broker b;
  auto& client = b.enter(1, role::client, 0);
  auto& worker = b.enter(2, role::worker, 1);
  caf::anon_send(b.root, atom::shutdown::value);
  b.w.settle();
  CHECK_FALSE(b.gate.keeper);
  for (auto* link : {&client, &worker}) {
    REQUIRE(link->closed);
    CHECK(link->closed->code == 1001);
    CHECK(link->released);
  }
}

TEST_CASE("nobody is started anew in a shutdown", "[supervisor]") {
  broker b;
  caf::anon_send(b.root, atom::shutdown::value);
  b.w.settle();
  auto running = b.w.system().registry().running();
  b.kill(b.heartbeat(1));
  b.kill(b.pairing());
  CHECK(b.w.system().registry().running() == running - 2);
}

TEST_CASE("the end leaves no actor", "[supervisor]") {
  broker b;
  SECTION("after a shutdown") {
    b.enter(1, role::client);
    caf::anon_send(b.root, atom::shutdown::value);
    b.w.settle();
  }
  SECTION("after a shutdown in which children died") {
    caf::anon_send(b.root, atom::shutdown::value);
    b.kill(b.heartbeat(0));
    b.kill(b.pairing());
  }
  SECTION("at once") {}
  caf::anon_send(b.root, atom::end::value);
  b.w.settle();
  CHECK_FALSE(b.gate.keeper);
  CHECK_FALSE(b.pairing());
  CHECK_FALSE(b.heartbeat(0));
  // The listener.
  CHECK(b.w.system().registry().running() == 1);
}
