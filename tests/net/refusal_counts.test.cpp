#include "net/refusal_counts.hpp"

#include <catch2/catch.hpp>

using namespace tandem;
using namespace tandem::net;

TEST_CASE("refusals are counted by their names") {
  refusal_counts counts;
  CHECK(to_string(counts).empty());
  CHECK(counts.total() == 0);
  counts.add(refusal::bad_proxy_header);
  counts.add(refusal::bad_request);
  counts.add(refusal::bad_request);
  CHECK(to_string(counts) == "bad_request=2 bad_proxy_header=1");
  CHECK(counts.of(refusal::bad_request) == 2);
  CHECK(counts.of(refusal::full) == 0);
  CHECK(counts.total() == 3);
}
