#include "net/recycled_message.hpp"

#include "actors/fwd.hpp"
#include "net/spare_memory.hpp"
#include "support/probe.hpp"

#include <set>
#include <thread>
#include <vector>

using namespace tandem;
using namespace tandem::net;
using namespace tandem::test;

TEST_CASE("spare memory is used again, the last first", "[spare]") {
  using spare = spare_memory<48, 2>;
  auto* first = spare::take();
  auto* second = spare::take();
  CHECK(first != second);
  spare::give(first);
  spare::give(second);
  CHECK(spare::take() == second);
  CHECK(spare::take() == first);
  spare::give(first);
  spare::give(second);
}

TEST_CASE("spare memory goes from thread to thread, and no more is kept than may be", "[spare]") {
  using spare = spare_memory<56, 3>;
  std::vector<void*> blocks(10);
  for (auto& block : blocks)
    block = spare::take();
  std::thread{[&] {
    for (auto* block : blocks)
      spare::give(block);
    std::set<void*> kept{spare::take(), spare::take(), spare::take()};
    CHECK(kept == std::set<void*>{blocks[0], blocks[1], blocks[2]});
    for (auto* block : kept)
      spare::give(block);
  }}.join();
}

TEST_CASE("a recycled message arrives as any other", "[spare]") {
  world w;
  probe receiver{w};
  auto to = receiver.as<connection_actor>();
  const probe sender{w};
  send_recycled(sender.as<caf::strong_actor_ptr>(), to, nullptr, atom::credit{}, uint64_t{7});
  w.settle();
  CHECK(receiver.size() == 1);
  CHECK(receiver.take<atom::credit, uint64_t>() == 7);
  for (int i = 0; i < 3; ++i) {
    send_recycled(nullptr, to, nullptr, atom::forward{}, chunk_of(std::to_string(i)));
    w.settle();
    CHECK(text_of(receiver.take<atom::forward, net::chunk>()) == std::to_string(i));
  }
  CHECK(receiver.empty());
}

TEST_CASE("a recycled message that nobody takes is freed", "[spare]") {
  world w;
  probe receiver{w};
  auto to = receiver.as<connection_actor>();
  receiver.quit();
  w.settle();
  const auto before = buffered_bytes();
  send_recycled(nullptr, to, nullptr, atom::forward{}, chunk_of(std::string(200'000, 'x')));
  w.settle();
  CHECK(buffered_bytes() <= before + 100'000);
  send_recycled(nullptr, connection_actor{}, nullptr, atom::forward{}, chunk_of("to nobody"));
}
