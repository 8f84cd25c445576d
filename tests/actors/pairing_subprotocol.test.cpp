// Which subprotocol the two of a pair may agree on.
#include "support/meeting.hpp"

using namespace tandem;
using namespace tandem::test;

namespace {

using names = std::vector<std::string>;

struct table : meeting {
  using meeting::meeting;

  /// What one who offers these may agree on.
  std::string agree(uint64_t id, role side, names offered) {
    tell(admission, claim{id, side, "key", std::move(offered)});
    auto answer = admission.take<verdict>();
    REQUIRE(answer.why == refusal::none);
    return answer.subprotocol;
  }

  /// Comes in after that, as its handshake has it.
  guest& sit_down(uint64_t id, role side, const std::string& subprotocol) {
    peer_info info{id, side, "key", "remote", {}, subprotocol};
    auto& who = guests.try_emplace(id, guest{info, probe{w}}).first->second;
    tell(who.actor, atom::join::value, member{share(who.who), who.actor.as<connection_actor>(), 0});
    return who;
  }
};

} // namespace

TEST_CASE("the first one agrees on what it prefers", "[pairing]") {
  table t;
  CHECK(t.agree(1, role::client, {"mqtt", "chat"}) == "mqtt");
  t.tell(t.admission, atom::withdraw::value, uint64_t{1});
  CHECK(t.agree(2, role::client, {}).empty());
}

TEST_CASE("the second one agrees on what the first one has, or on nothing", "[pairing]") {
  const bool joined = GENERATE(false, true);
  struct row {
    names offered;
    std::string expected;
  };
  auto [offered, expected] = GENERATE(values<row>({
      {{"chat", "mqtt"}, "mqtt"},
      {{"mqtt"}, "mqtt"},
      {{"chat"}, ""},
      {{}, ""},
  }));
  table t;
  // Also while both are still in their handshake.
  CHECK(t.agree(1, role::client, {"mqtt", "chat"}) == "mqtt");
  if (joined)
    t.sit_down(1, role::client, "mqtt");
  CHECK(t.agree(2, role::worker, offered) == expected);
}

TEST_CASE("one that has agreed on nothing leaves the other free", "[pairing]") {
  table t;
  CHECK(t.agree(1, role::worker, {}).empty());
  t.sit_down(1, role::worker, "");
  CHECK(t.agree(2, role::client, {"chat"}) == "chat");
}

TEST_CASE("one that is about to go doesn't bind the other", "[pairing]") {
  table t{pairing_options{.replaces = true}};
  t.agree(1, role::worker, {"mqtt"});
  auto& worker = t.sit_down(1, role::worker, "mqtt");
  // What counts is who comes after it.
  CHECK(t.agree(2, role::worker, {"chat"}) == "chat");
  CHECK(t.agree(3, role::client, {"mqtt", "chat"}) == "chat");
  t.sit_down(2, role::worker, "chat");
  t.leave(worker);
  CHECK(t.agree(4, role::client, {"mqtt", "chat"}) == "chat");
}

TEST_CASE("a pair of before is remembered by a new pairing", "[pairing]") {
  table t;
  t.subject = t.spawn();
  t.sit_down(1, role::client, "mqtt");
  CHECK(t.agree(2, role::worker, {"chat", "mqtt"}) == "mqtt");
}
