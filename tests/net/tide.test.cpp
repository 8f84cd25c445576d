#include "net/tide.hpp"

#include <catch2/catch.hpp>

using namespace tandem::net;

namespace {

constexpr uint64_t mib = 1 << 20;

} // namespace

TEST_CASE("the tide has gone out once two looks find it low", "[tide]") {
  tide x;
  CHECK_FALSE(x.gone_out(100 * mib, 100 * mib));
  CHECK_FALSE(x.gone_out(26 * mib, 100 * mib));
  CHECK_FALSE(x.gone_out(25 * mib, 100 * mib));
  CHECK(x.gone_out(25 * mib, 100 * mib));
  SECTION("once for each fall") {
    CHECK_FALSE(x.gone_out(25 * mib, 30 * mib));
    CHECK_FALSE(x.gone_out(7 * mib, 30 * mib));
    CHECK_FALSE(x.gone_out(7 * mib, 30 * mib));
    CHECK_FALSE(x.gone_out(0, 30 * mib));
    CHECK(x.gone_out(0, 30 * mib));
  }
}

TEST_CASE("what comes and goes all the time is no tide", "[tide]") {
  tide x;
  for (int i = 0; i < 10; ++i) {
    CHECK_FALSE(x.gone_out(100 * mib, 100 * mib));
    CHECK_FALSE(x.gone_out(0, 100 * mib));
  }
}

TEST_CASE("a height between two looks counts", "[tide]") {
  tide x;
  x.rise(100 * mib);
  x.rise(mib);
  CHECK_FALSE(x.gone_out(0, 100 * mib));
  CHECK(x.gone_out(0, 100 * mib));
}

TEST_CASE("a small fall matters if much is resident since the last one", "[tide]") {
  tide x;
  x.rise(100 * mib);
  x.gone_out(0, 100 * mib);
  x.gone_out(0, 100 * mib);
  // This is how low it got.
  CHECK_FALSE(x.gone_out(0, 10 * mib));
  x.rise(1000);
  CHECK_FALSE(x.gone_out(0, 11 * mib - 1));
  CHECK_FALSE(x.gone_out(0, 11 * mib - 1));
  x.rise(1000);
  CHECK_FALSE(x.gone_out(0, 11 * mib));
  CHECK(x.gone_out(0, 11 * mib));
}

TEST_CASE("the tide rests when it is out, and it is known how low memory got", "[tide]") {
  tide x;
  x.rise(100 * mib);
  x.gone_out(0, 100 * mib);
  CHECK_FALSE(x.at_rest());
  x.gone_out(0, 100 * mib);
  CHECK_FALSE(x.at_rest());
  x.gone_out(0, 10 * mib);
  CHECK(x.at_rest());
  x.rise(1);
  CHECK_FALSE(x.at_rest());
}
