#include "net/rate.hpp"

#include "net/throttle.hpp"

#include <catch2/catch.hpp>

using namespace tandem::net;
using namespace std::chrono_literals;

namespace {

using clock = token_bucket::clock;

constexpr clock::time_point start{1000s};

int taken(token_bucket& bucket, const rate& limit, clock::time_point now, int tries) {
  int n = 0;
  while (tries-- > 0)
    n += bucket.take(limit, now) ? 1 : 0;
  return n;
}

} // namespace

TEST_CASE("a bucket gives its burst at once and then keeps to the rate") {
  const rate limit{10, 2s};
  token_bucket bucket;
  CHECK(taken(bucket, limit, start, 100) == 20);
  CHECK(taken(bucket, limit, start + 99ms, 100) == 0);
  CHECK(taken(bucket, limit, start + 100ms, 100) == 1);
  CHECK(taken(bucket, limit, start + 1100ms, 100) == 10);
  // It never holds more than the burst.
  CHECK(taken(bucket, limit, start + 1h, 100) == 20);
}

TEST_CASE("a bucket has room for one token however short its burst is") {
  const rate limit{1, 1ms};
  token_bucket bucket;
  CHECK(taken(bucket, limit, start, 5) == 1);
  CHECK(taken(bucket, limit, start + 999ms, 5) == 0);
  CHECK(taken(bucket, limit, start + 1s, 5) == 1);
}

TEST_CASE("a bucket in debt says how long it is so") {
  const rate limit{1000, 1s};
  token_bucket bucket;
  CHECK(bucket.full(start));
  CHECK(bucket.charge(limit, 1000, start) == 0s);
  CHECK_FALSE(bucket.full(start));
  CHECK(bucket.charge(limit, 500, start) == 500ms);
  CHECK(bucket.charge(limit, 0, start + 400ms) == 100ms);
  CHECK(bucket.charge(limit, 0, start + 500ms) == 0s);
  CHECK_FALSE(bucket.full(start + 1499ms));
  CHECK(bucket.full(start + 1500ms));
}

TEST_CASE("a throttle without a rate pauses nobody") {
  throttle x;
  CHECK(x.charge({}, uint64_t{1} << 40, 1'000'000, start) == 0s);
  CHECK_FALSE(throttle_limits{});
}

TEST_CASE("a throttle pauses by whichever rate is exceeded most") {
  const throttle_limits limits{{10, 1s}, {1000, 1s}};
  CHECK(limits);
  CHECK(throttle{}.charge(limits, 1000, 10, start) == 0s);
  CHECK(throttle{}.charge(limits, 1500, 10, start) == 500ms);
  CHECK(throttle{}.charge(limits, 1500, 20, start) == 1s);
  CHECK(throttle{}.charge(limits, 3000, 20, start) == 2s);
}

TEST_CASE("a throttle reads more at once while the rates allow it, and less when they don't") {
  const throttle_limits limits{{1000, 1s}, {}};
  throttle x;
  const auto first = x.read_size();
  x.charge(limits, first, 1, start);
  CHECK(x.read_size() == 2 * first);
  // A read that wasn't full says nothing.
  x.charge(limits, 1, 1, start);
  CHECK(x.read_size() == 2 * first);
  x.charge(limits, 2 * first, 2000, start);
  CHECK(x.read_size() == first);
  for (int i = 0; i < 100; ++i)
    x.charge(limits, 1, 1000, start);
  CHECK(x.read_size() == 64);
  for (int i = 0; i < 100; ++i)
    x.charge({{}, {1, 1s}}, 0, 0, start);
  for (int i = 0; i < 100; ++i)
    x.charge({}, x.read_size(), 0, start);
  CHECK(x.read_size() == 256 << 10);
}
