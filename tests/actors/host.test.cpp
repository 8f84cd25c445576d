#include "actors/host.hpp"

#include "net/multiplexing.hpp"
#include "support/probe.hpp"

#include <nlohmann/json.hpp>

using namespace tandem;
using namespace tandem::net;
using namespace tandem::test;

namespace {

using json = nlohmann::json;

constexpr uint64_t host_id = 2;

/// A host, and stand-ins for all that it deals with.
struct host_stage {
  host_stage() {
    options.max_capacity = 100;
    directory::publish(w.system(), {pairing.as<pairing_actor>()});
    directory::publish(w.system(), 0, heartbeat.as<heartbeat_actor>());
    w.settle();
    peer_info who{.id = host_id, .side = role::worker, .key = "gpu", .remote = "w"};
    who.frames = framing::binary;
    who.capacity = 8;
    subject = w.system().spawn<host>(std::ref(w.home()), link_ptr{&session}, who,
                                     std::make_shared<const connection_options>(options));
    monitor = w.system().spawn([this](caf::event_based_actor* self) -> caf::behavior {
      self->monitor(subject);
      self->set_down_handler([this](const caf::down_msg& down) { died = ending_of(down.reason); });
      return {[](caf::unit_t) {}};
    });
    w.settle();
  }

  template <class... Ts>
  void tell(const probe& from, Ts... what) {
    from.send(subject, std::move(what)...);
    w.settle();
  }

  /// Opens a channel for a client that `client` stands in for, and binds the two.
  connection_actor open(uint64_t id, const probe& client) {
    auto who = client_info();
    tell(pairing, atom::open::value, id, who);
    auto channel = pairing.take<atom::join, member>();
    CHECK(channel.who->id == id);
    pairing.send(channel.handle, atom::bind::value,
                 peer_ref{share(who), client.as<connection_actor>()});
    w.settle();
    return known.emplace_back(channel.handle);
  }

  static peer_info client_info() {
    return {.id = 5, .side = role::client, .key = "gpu", .remote = "c"};
  }

  std::vector<framed> turn() {
    session.flush();
    auto result = to_peer(std::exchange(session.sent, {}));
    session.drain();
    w.settle();
    return result;
  }

  void receive(const std::vector<framed>& messages) {
    session.receive(from_peer(messages));
    w.settle();
  }

  world w;
  probe pairing{w};
  probe heartbeat{w};
  probe client{w};
  fake_link& session = w.make_link();
  connection_options options{.window = 4000, .pending = 1000, .waits_for_next_peer = true};
  /// As the pairing keeps them: nobody else does.
  std::vector<connection_actor> known;
  host_actor subject;
  caf::actor monitor;
  std::optional<ending> died;
};

/// One that is known to all.
struct known_host : host_stage {
  known_host() {
    pairing.forget();
    heartbeat.forget();
    turn();
  }
};

} // namespace

TEST_CASE("a host makes itself known", "[host]") {
  host_stage s;
  auto self = s.pairing.take<atom::enlist, host_member>();
  CHECK(self.who->id == host_id);
  CHECK(self.handle == s.subject);
  CHECK(self.capacity == 8);
  CHECK(self.home == 0);
  CHECK_FALSE(self.draining);
  CHECK(self.channels.empty());
  auto [id, side, handle] = s.heartbeat.take<atom::join, uint64_t, role, watched_actor>();
  CHECK(id == host_id);
  CHECK(side == role::worker);
  CHECK(handle == s.subject);
  CHECK(json::parse(s.turn().at(0).payload)["connection"] == host_id);
}

TEST_CASE("a channel is a connection of its own", "[host]") {
  known_host s;
  s.tell(s.pairing, atom::open::value, uint64_t{9}, host_stage::client_info());
  auto joined = s.pairing.take<atom::join, member>();
  CHECK(joined.who->id == 9);
  CHECK(joined.who->side == role::worker);
  CHECK(joined.who->key == "gpu");
  CHECK(joined.who->host == host_id);
  CHECK(s.turn().empty());
  s.pairing.send(joined.handle, atom::bind::value,
                 peer_ref{share(host_stage::client_info()), s.client.as<connection_actor>()});
  s.w.settle();
  auto said = s.turn();
  REQUIRE(said.size() == 1);
  CHECK(said[0].type == 1);
  CHECK(json::parse(said[0].payload)["client"] == 5);
  CHECK(json::parse(said[0].payload)["credit"] == 4000);
  // The host is pinged for it.
  CHECK(s.heartbeat.empty());
}

TEST_CASE("messages go through a channel both ways, and credit with them", "[host]") {
  known_host s;
  auto channel = s.open(9, s.client);
  s.turn();
  s.client.send(channel, atom::forward::value, text_chunk(std::string(1500, 'x')));
  s.w.settle();
  CHECK(s.turn() == std::vector<framed>{{2, 1, std::string(1500, 'x')}});
  CHECK(s.client.take<atom::credit, uint64_t>() == text_chunk(std::string(1500, 'x')).cost());
  s.receive({{2, 1, "answer"}});
  CHECK(s.client.take<atom::forward, chunk>().bytes().size() == 8);
}

TEST_CASE("a client that leaves ends its channel, never its worker", "[host]") {
  known_host s;
  auto channel = s.open(9, s.client);
  s.turn();
  s.client.send(channel, atom::peer_end::value, uint64_t{5},
                ending{end_reason::closed_by_peer, 1000, "bye"});
  s.w.settle();
  CHECK(s.turn() == std::vector<framed>{{4, 1, wire::close_payload(1000, "bye")}});
  CHECK_FALSE(s.died);
  // It is late, and no fault.
  s.receive({{2, 1, "answer"}});
  CHECK_FALSE(s.session.closed);
}

TEST_CASE("a channel that the worker closes tells its client", "[host]") {
  known_host s;
  s.open(9, s.client);
  s.turn();
  s.receive({{4, 1, wire::close_payload(4001, "done")}});
  auto [id, how] = s.client.take<atom::peer_end, uint64_t, ending>();
  CHECK(id == 9);
  CHECK(how.reason == end_reason::closed_by_peer);
  CHECK(how.code == 4001);
  CHECK_FALSE(s.died);
}

TEST_CASE("capacity and drain go to the pairing", "[host]") {
  known_host s;
  s.receive({{6, 0, wire::big_endian(3, 4)}, {7, 0, ""}});
  auto [id, slots] = s.pairing.take<atom::capacity, uint64_t, uint32_t>();
  CHECK(id == host_id);
  CHECK(slots == 3);
  CHECK(s.pairing.take<atom::drain, uint64_t>() == host_id);
  s.tell(s.pairing, atom::rejoin::value);
  auto self = s.pairing.take<atom::enlist, host_member>();
  CHECK(self.capacity == 3);
  CHECK(self.draining);
}

TEST_CASE("a host joins again with its channels", "[host]") {
  known_host s;
  probe other{s.w};
  auto channel = s.open(9, s.client);
  s.open(10, other);
  s.turn();
  s.receive({{4, 2, ""}});
  s.known.pop_back();
  other.forget();
  s.tell(s.heartbeat, atom::rejoin::value);
  CHECK(s.heartbeat.size() == 1);
  auto self = s.pairing.take<atom::enlist, host_member>();
  auto joined = s.pairing.take<atom::join, member>();
  CHECK(joined.who->id == 9);
  CHECK(joined.peer == 5);
  CHECK(s.pairing.empty());
  REQUIRE(self.channels.size() == 1);
  CHECK(self.channels[0].id == 9);
  CHECK(self.channels[0].handle == channel);
}

TEST_CASE("a lost worker is a lost peer to each of its clients", "[host]") {
  known_host s;
  probe other{s.w};
  s.open(9, s.client);
  s.open(10, other);
  s.turn();
  SECTION("it closes") {
    s.session.end({end_reason::closed_by_peer, 1000, "bye"});
    s.w.settle();
    CHECK(s.died->reason == end_reason::closed_by_peer);
  }
  SECTION("it vanishes") {
    s.session.end(ending::by(end_reason::vanished));
    s.w.settle();
    CHECK(s.died->reason == end_reason::vanished);
  }
  for (auto* client : {&s.client, &other}) {
    auto [id, how] = client->take<atom::peer_end, uint64_t, ending>();
    CHECK(how.reason == end_reason::vanished);
    CHECK(client->empty());
  }
  CHECK(s.session.released);
  CHECK(s.heartbeat.take<atom::leave, uint64_t>() == host_id);
}

TEST_CASE("a message that a lost worker left unfinished is cut", "[host]") {
  known_host s;
  probe other{s.w};
  s.open(9, s.client);
  s.open(10, other);
  s.turn();
  s.session.receive(
      chunk_of_frames(wire::from_server(wire::binary, to_text({2, 1, "half"}), false)));
  s.session.end(ending::by(end_reason::vanished));
  s.w.settle();
  s.client.take<atom::forward, chunk>();
  CHECK(std::get<ending>(s.client.take<atom::peer_end, uint64_t, ending>()).cut);
  CHECK_FALSE(std::get<ending>(other.take<atom::peer_end, uint64_t, ending>()).cut);
}

TEST_CASE("a host that is told to end closes behind what is queued", "[host]") {
  known_host s;
  auto channel = s.open(9, s.client);
  s.client.send(channel, atom::forward::value, text_chunk("last"));
  s.w.settle();
  s.tell(s.pairing, atom::end::value, end_reason::drained);
  CHECK(s.session.closed->code == 1000);
  CHECK(to_peer(s.session.sent).back() == framed{2, 1, "last"});
  CHECK(s.died->reason == end_reason::drained);
  // Whoever asks for a channel now gets none.
  s.tell(s.pairing, atom::open::value, uint64_t{11}, host_stage::client_info());
  CHECK(std::get<ending>(s.client.take<atom::peer_end, uint64_t, ending>()).reason ==
        end_reason::drained);
  CHECK(s.pairing.empty());
}

TEST_CASE("a worker's silence ends it and all its channels", "[host]") {
  known_host s;
  s.open(9, s.client);
  s.turn();
  s.tell(s.heartbeat, atom::ping::value);
  CHECK(s.session.pings == 1);
  ++s.session.lives;
  s.tell(s.heartbeat, atom::check::value);
  CHECK_FALSE(s.died);
  s.tell(s.heartbeat, atom::ping::value);
  s.tell(s.heartbeat, atom::check::value);
  CHECK(s.session.closed->code == 4201);
  CHECK(std::get<ending>(s.client.take<atom::peer_end, uint64_t, ending>()).reason ==
        end_reason::heartbeat_missed);
}

TEST_CASE("without a pairing a host is turned away", "[host]") {
  known_host s;
  directory::clear(s.w.system(), 1);
  s.tell(s.heartbeat, atom::rejoin::value);
  CHECK(s.died->reason == end_reason::shutting_down);
}
