/// Where one pairing plays, and all others are stand-ins.
#pragma once

#include "actors/pairing.hpp"
#include "support/probe.hpp"

#include <map>
#include <string>
#include <vector>

namespace tandem::test {

inline constexpr std::chrono::seconds patience{60};

using event_log = std::vector<std::string>;

/// A pairing, and connections that only write down what they are told, and end when the test says
/// so.
struct meeting {
  struct guest {
    peer_info who;
    probe actor;
  };

  explicit meeting(pairing_options options = {.timeout = patience}) : settings{options} {
    subject = spawn();
    tell(extension, atom::subscribe::value, extension.as<extension_actor>());
  }

  pairing_actor spawn() {
    auto result = w.system().spawn(pairing, std::vector{settings});
    w.settle();
    return result;
  }

  template <class... Ts>
  void tell(const probe& from, Ts... what) {
    from.send(subject, std::move(what)...);
    w.settle();
  }

  verdict claim_for(uint64_t id, role side, const std::string& key = "key") {
    tell(admission, claim{id, side, key});
    return admission.take<verdict>();
  }

  guest& join(uint64_t id, role side, const std::string& key = "key", uint64_t peer = 0) {
    auto& who = guests.try_emplace(id, guest{{id, side, key, "remote"}, probe{w}}).first->second;
    tell(who.actor, atom::join::value,
         member{share(who.who), who.actor.as<connection_actor>(), peer});
    return who;
  }

  guest& enter(uint64_t id, role side, const std::string& key = "key") {
    REQUIRE(claim_for(id, side, key).why == refusal::none);
    return join(id, side, key);
  }

  void leave(const guest& who, ending how = {end_reason::closed_by_peer, 1000, "bye"}) {
    who.actor.exit(make_error(how));
    w.settle();
  }

  /// What the extension has heard since the last look.
  event_log events() {
    event_log result;
    auto pair_text = [](const auto& x) {
      return x.key + " " + std::to_string(x.client) + "+" + std::to_string(x.worker);
    };
    caf::message_handler write{
        [&](const connected& x) { result.push_back("connected " + std::to_string(x.who.id)); },
        [&](const paired& x) { result.push_back("paired " + pair_text(x)); },
        [&](const unpaired& x) { result.push_back("unpaired " + pair_text(x)); },
        [&](const disconnected& x) {
          result.push_back("disconnected " + std::to_string(x.who.id) + " " +
                           to_string(x.how.reason));
        },
    };
    for (auto letter : extension.letters())
      write(letter.content);
    extension.forget();
    return result;
  }

  world w;
  pairing_options settings;
  probe admission{w};
  probe extension{w};
  pairing_actor subject;
  std::map<uint64_t, guest> guests;
};

inline void check_bound(meeting::guest& x, meeting::guest& y) {
  for (auto [self, peer] : {std::pair{&x, &y}, std::pair{&y, &x}}) {
    auto bound = self->actor.take<atom::bind, peer_ref>();
    CHECK(bound.who->id == peer->who.id);
    CHECK(bound.handle == peer->actor.as<connection_actor>());
    CHECK(self->actor.empty());
  }
}

inline void check_told_to_end(meeting::guest& who, end_reason reason) {
  CHECK(who.actor.take<atom::end, end_reason>() == reason);
  CHECK(who.actor.empty());
}

} // namespace tandem::test
