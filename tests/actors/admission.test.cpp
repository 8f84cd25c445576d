#include "actors/admission.hpp"

#include "support/probe.hpp"

#include <optional>

using namespace tandem;
using namespace tandem::test;

namespace {

struct lobby {
  lobby() {
    directory::publish(w.system(), {pairing.as<pairing_actor>()});
    subject = w.system().spawn<admission>(std::ref(gate), options);
    w.settle();
  }

  /// Asks as the front does, and keeps the answer.
  void ask(const peer_info& who) {
    gate.keeper->ask({who.id, who.side, who.key, {"chat"}},
                     [this, id = who.id](const verdict& x) { answers[id].push_back(x); });
    w.settle();
  }

  void answer(const verdict& x) {
    pairing.send(subject, x);
    w.settle();
  }

  world w;
  fake_gate gate{w.home()};
  probe pairing{w};
  /// Of two routes.
  std::vector<connection_options_by_role> options{
      {connection_options{.pending = 1000}, connection_options{.pending = 1001}},
      {connection_options{.pending = 2000}, connection_options{.pending = 2001}}};
  admission_actor subject;
  /// By ticket.
  std::map<uint64_t, std::vector<verdict>> answers;
};

const peer_info client{1, role::client, "key", "127.0.0.1:4711"};
const peer_info worker{2, role::worker, "key", "127.0.0.1:4712"};

} // namespace

TEST_CASE("the admission keeps the gate while it lives", "[admission]") {
  lobby l;
  CHECK(l.gate.keeper);
  caf::anon_send_exit(l.subject, caf::exit_reason::kill);
  l.w.settle();
  CHECK_FALSE(l.gate.keeper);
}

TEST_CASE("the pairing's answer gets to whoever asked", "[admission]") {
  lobby l;
  l.ask(client);
  l.ask(worker);
  for (const auto& who : {client, worker}) {
    auto request = l.pairing.take<claim>();
    CHECK(request.ticket == who.id);
    CHECK(request.side == who.side);
    CHECK(request.subprotocols == std::vector<std::string>{"chat"});
    CHECK(request.key == who.key);
  }
  l.answer({2, refusal::key_taken, "taken"});
  CHECK_FALSE(l.answers.contains(1));
  REQUIRE(l.answers[2].size() == 1);
  CHECK(l.answers[2][0].why == refusal::key_taken);
  CHECK(l.answers[2][0].detail == "taken");
  l.answer({1, refusal::none, ""});
  REQUIRE(l.answers[1].size() == 1);
  CHECK(l.answers[1][0].why == refusal::none);
}

TEST_CASE("a question is answered once", "[admission]") {
  lobby l;
  l.ask(client);
  l.answer({1, refusal::none, ""});
  l.answer({1, refusal::key_taken, ""});
  l.answer({77, refusal::none, ""});
  CHECK(l.answers.size() == 1);
  CHECK(l.answers[1].size() == 1);
}

TEST_CASE("who withdraws gets no answer, and the pairing learns of it", "[admission]") {
  lobby l;
  l.ask(client);
  l.pairing.take<claim>();
  l.gate.keeper->withdraw(1);
  l.w.settle();
  CHECK(l.pairing.take<atom::withdraw, uint64_t>() == 1);
  l.answer({1, refusal::none, ""});
  CHECK(l.answers.empty());
}

TEST_CASE("without a pairing everyone is refused at once", "[admission]") {
  lobby l;
  directory::clear(l.w.system(), 1);
  l.gate.keeper->ask({1, role::client, "key"},
                     [&](const verdict& x) { l.answers[1].push_back(x); });
  REQUIRE(l.answers[1].size() == 1);
  CHECK(l.answers[1][0].ticket == 1);
  CHECK(l.answers[1][0].why == refusal::draining);
  l.gate.keeper->withdraw(1);
  l.w.settle();
  CHECK(l.pairing.empty());
}

TEST_CASE("who is admitted becomes a connection, on the home of its socket", "[admission]") {
  lobby l;
  auto& link = l.w.make_link();
  l.gate.keeper->admit(client, net::link_ptr{&link});
  // It hasn't run yet: it waits for its turn at home.
  CHECK(l.w.home().jobs.size() == 1);
  CHECK_FALSE(link.open());
  l.w.settle();
  CHECK(link.open());
  CHECK(link.allowance == 1000);
  auto self = l.pairing.take<atom::join, member>();
  CHECK(self.who->id == 1);
  CHECK(self.who->side == role::client);
  CHECK(self.who->remote == "127.0.0.1:4711");
}

TEST_CASE("a connection goes by the options of its route and role", "[admission]") {
  for (auto [who, route, expected] : {std::tuple{client, 0, 1000}, std::tuple{worker, 0, 1001},
                                      std::tuple{client, 1, 2000}, std::tuple{worker, 1, 2001}}) {
    lobby l;
    auto& link = l.w.make_link();
    auto comes = who;
    comes.route = static_cast<uint16_t>(route);
    l.gate.keeper->admit(comes, net::link_ptr{&link});
    l.w.settle();
    CHECK(link.allowance == expected);
    CHECK(l.pairing.take<atom::join, member>().who->route == route);
  }
}

TEST_CASE("questions that are open when the admission dies stay without an answer", "[admission]") {
  lobby l;
  l.ask(client);
  caf::anon_send_exit(l.subject, caf::exit_reason::kill);
  l.w.settle();
  l.answer({1, refusal::none, ""});
  CHECK(l.answers.empty());
}
