// A broker that holds too many bytes.
#include "actors/connection.hpp"
#include "support/stage.hpp"

using namespace tandem;
using namespace tandem::test;

namespace {

constexpr uint64_t limit = 4 << 20;

} // namespace

TEST_CASE("above the limit one without a peer may not send ahead", "[connection]") {
  stage s;
  s.options->most_buffered = limit;
  s.start();
  s.link.receive(chunk_of("early"));
  s.w.settle();
  CHECK_FALSE(s.link.closed);
  const auto ballast = chunk_that_costs(2 * limit);
  s.link.receive(chunk_of("more"));
  s.w.settle();
  REQUIRE(s.link.closed);
  CHECK(s.link.closed->code == 1013);
  CHECK(s.died->reason == end_reason::overloaded);
}

TEST_CASE("above the limit a pair goes on", "[connection]") {
  bound_stage s;
  s.options->most_buffered = limit;
  const auto ballast = chunk_that_costs(2 * limit);
  s.link.receive(chunk_of("more"));
  s.w.settle();
  CHECK_FALSE(s.link.closed);
  CHECK(text_of(s.peer.take<atom::forward, net::chunk>()) == "more");
}
