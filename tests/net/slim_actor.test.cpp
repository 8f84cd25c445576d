#include "net/slim_actor.hpp"

#include "actors/error.hpp"
#include "actors/fwd.hpp"
#include "net/pinned.hpp"
#include "support/probe.hpp"

#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace tandem;
using namespace tandem::test;

namespace {

using counting_actor = caf::typed_actor<caf::reacts_to<atom::credit, uint64_t>,
                                        caf::reacts_to<atom::ping>, caf::reacts_to<atom::end>>;

struct tale {
  std::vector<uint64_t> heard;
  int pings = 0;
  int exits = 0;
};

/// Notes what it hears; 13 is more than it can bear.
class counting final : public net::pinned<net::slim_actor<counting_actor>> {
public:
  using super = net::pinned<net::slim_actor<counting_actor>>;

  counting(caf::actor_config& cfg, net::home& where, tale& x) : super{cfg, where}, tale_{x} {}

  void on_exit() override { ++tale_.exits; }

protected:
  bool handle(const caf::type_erased_tuple& content) override {
    return dispatch(
        content,
        [this](atom::credit, uint64_t n) {
          if (n == 13)
            throw std::runtime_error{"unlucky"};
          tale_.heard.push_back(n);
        },
        [this](atom::ping) { ++tale_.pings; },
        [this](atom::end) { quit(make_error(ending::by(end_reason::stalled))); });
  }

private:
  tale& tale_;
};

struct ground {
  ground() {
    monitor = w.system().spawn([this](caf::event_based_actor* self) -> caf::behavior {
      self->monitor(subject);
      self->set_down_handler([this](const caf::down_msg& down) { died = down.reason; });
      return {[](caf::unit_t) {}};
    });
    w.settle();
  }

  template <class... Ts>
  void tell(Ts... what) {
    friend_of_it.send(subject, std::move(what)...);
  }

  void exit(caf::error reason) {
    caf::anon_send(caf::actor_cast<caf::actor>(subject), caf::exit_msg{{}, std::move(reason)});
  }

  world w;
  tale story;
  probe friend_of_it{w};
  counting_actor subject =
      w.system().spawn<counting>(std::ref(static_cast<net::home&>(w.home())), std::ref(story));
  caf::actor monitor;
  std::optional<caf::error> died;
};

} // namespace

TEST_CASE("a slim actor hears all messages of its contract in their order", "[slim]") {
  ground g;
  for (uint64_t n = 1; n <= 5; ++n)
    g.tell(atom::credit::value, n);
  g.tell(atom::ping::value);
  CHECK(g.w.home().jobs.size() == 1);
  g.w.settle();
  CHECK(g.story.heard == std::vector<uint64_t>{1, 2, 3, 4, 5});
  CHECK(g.story.pings == 1);
  CHECK(g.w.home().jobs.empty());
  g.tell(atom::credit::value, uint64_t{6});
  g.w.settle();
  CHECK(g.story.heard.back() == 6);
  CHECK_FALSE(g.died);
}

TEST_CASE("a slim actor drops what its contract doesn't have", "[slim]") {
  ground g;
  g.tell(std::string{"what?"});
  g.tell(atom::check::value);
  g.tell(atom::credit::value);
  g.w.settle();
  CHECK(g.story.heard.empty());
  CHECK_FALSE(g.died);
}

TEST_CASE("a slim actor that quits hears no more", "[slim]") {
  ground g;
  g.tell(atom::credit::value, uint64_t{1});
  g.tell(atom::end::value);
  g.tell(atom::credit::value, uint64_t{2});
  g.w.settle();
  g.tell(atom::credit::value, uint64_t{3});
  g.w.settle();
  CHECK(g.story.heard == std::vector<uint64_t>{1});
  CHECK(g.story.exits == 1);
  REQUIRE(g.died);
  CHECK(ending_of(*g.died).reason == end_reason::stalled);
}

TEST_CASE("an exception ends a slim actor", "[slim]") {
  ground g;
  g.tell(atom::credit::value, uint64_t{13});
  g.w.settle();
  CHECK(g.story.exits == 1);
  REQUIRE(g.died);
  CHECK(ending_of(*g.died).reason == end_reason::broker_fault);
}

TEST_CASE("a slim actor obeys exit messages", "[slim]") {
  ground g;
  g.exit({});
  g.w.settle();
  CHECK_FALSE(g.died);
  g.exit(make_error(ending::by(end_reason::replaced)));
  g.w.settle();
  CHECK(g.story.exits == 1);
  REQUIRE(g.died);
  CHECK(ending_of(*g.died).reason == end_reason::replaced);
}

TEST_CASE("a request to a slim actor is answered with an error", "[slim]") {
  ground g;
  std::vector<caf::error> answers;
  auto asker = g.w.system().spawn([&](caf::event_based_actor* self) -> caf::behavior {
    return {[&, self](atom::ping) {
      self->request(caf::actor_cast<caf::actor>(g.subject), caf::infinite, atom::ping::value)
          .then([] { FAIL("an answer"); }, [&](const caf::error& why) { answers.push_back(why); });
    }};
  });
  caf::anon_send(asker, atom::ping::value);
  g.w.settle();
  CHECK(answers == std::vector<caf::error>{caf::sec::unexpected_message});
  CHECK(g.story.pings == 0);

  // One that waits for it as it ends, and one that comes too late.
  caf::anon_send(asker, atom::ping::value);
  while (g.w.home().jobs.empty())
    REQUIRE(g.w.run_one([](size_t) { return size_t{0}; }));
  g.exit(caf::exit_reason::kill);
  g.w.settle();
  caf::anon_send(asker, atom::ping::value);
  g.w.settle();
  REQUIRE(answers.size() == 3);
  CHECK(answers.back() == caf::sec::request_receiver_down);
}

TEST_CASE("a slim actor is freed with its last handle", "[slim]") {
  ground g;
  g.tell(atom::ping::value);
  g.subject = nullptr;
  g.w.settle();
  CHECK(g.story.pings == 1);
  CHECK(g.story.exits == 1);
  CHECK(g.died);
}
