#include "net/turnstile.hpp"

#include <catch2/catch.hpp>

#include <list>
#include <memory>
#include <string>
#include <string_view>

using namespace tandem;
using namespace tandem::net;
using namespace std::chrono_literals;

namespace {

constexpr turnstile::clock::time_point start{1000s};

std::optional<ip_address> from(std::string_view text) {
  return ip_address::parse(text);
}

/// The refusal's name, and "none" for none.
std::string name_of(const std::optional<turnstile::refused>& x) {
  return std::string{describe(x ? x->why : refusal::none).name};
}

/// A turnstile, and the places that were taken.
struct door {
  explicit door(const turnstile_limits& limits, std::vector<size_t> caps = {0, 0})
      : counts{std::make_shared<turnstile>(limits, std::move(caps))} {}

  std::string enter(const std::optional<ip_address>& who, size_t listener = 0) {
    turnstile::place place;
    auto fault = counts->enter(listener, who, place);
    if (!fault)
      places.push_back(std::move(place));
    return name_of(fault);
  }

  std::string arrive(const std::optional<ip_address>& who, turnstile::clock::time_point when) {
    return name_of(counts->arrive(who, when));
  }

  std::shared_ptr<turnstile> counts;
  std::list<turnstile::place> places;
};

} // namespace

TEST_CASE("without limits everybody comes in and nobody is remembered") {
  door x{{}};
  for (int i = 0; i < 1000; ++i) {
    REQUIRE(x.arrive(from("192.0.2.1"), start) == "none");
    REQUIRE(x.enter(from("192.0.2.1")) == "none");
  }
  CHECK(x.counts->inside() == 1000);
  CHECK(x.counts->addresses() == 0);
}

TEST_CASE("so many connections come in, and another one when one has gone") {
  door x{{.connections = 2}};
  CHECK(x.enter(from("192.0.2.1")) == "none");
  CHECK(x.enter(std::nullopt, 1) == "none");
  CHECK(x.enter(from("192.0.2.2")) == "full");
  CHECK(x.counts->inside() == 2);
  x.places.pop_front();
  CHECK(x.enter(from("192.0.2.2")) == "none");
  CHECK(x.enter(from("192.0.2.2")) == "full");
}

TEST_CASE("a listener has a limit of its own") {
  door x{{}, {1, 0}};
  CHECK(x.enter(from("192.0.2.1"), 0) == "none");
  CHECK(x.enter(from("192.0.2.1"), 0) == "full");
  CHECK(x.enter(from("192.0.2.1"), 1) == "none");
  x.places.pop_front();
  CHECK(x.enter(from("192.0.2.1"), 0) == "none");
}

TEST_CASE("an address has so many connections") {
  door x{{.connections_per_address = 2}};
  CHECK(x.enter(from("192.0.2.1")) == "none");
  CHECK(x.enter(from("::ffff:192.0.2.1")) == "none");
  CHECK(x.enter(from("192.0.2.1")) == "too_many_from_address");
  CHECK(x.enter(from("192.0.2.2")) == "none");
  // One who has no address isn't one with all the others who have none.
  for (int i = 0; i < 5; ++i)
    CHECK(x.enter(std::nullopt) == "none");
  CHECK(x.counts->addresses() == 2);
  x.places.clear();
  CHECK(x.counts->inside() == 0);
  CHECK(x.counts->addresses() == 0);
  CHECK(x.enter(from("192.0.2.1")) == "none");
}

TEST_CASE("an IPv6 client counts by its network") {
  door x{{.connections_per_address = 1}};
  CHECK(x.enter(from("2001:db8:0:1::1")) == "none");
  CHECK(x.enter(from("2001:db8:0:1:ffff::2")) == "too_many_from_address");
  CHECK(x.enter(from("2001:db8:0:2::1")) == "none");
}

TEST_CASE("an address that comes too fast doesn't use up the others' rate") {
  door x{{.arrivals = {10, 1s}, .arrivals_per_address = {2, 1s}}};
  for (int i = 0; i < 100; ++i)
    CHECK(x.arrive(from("192.0.2.1"), start) == (i < 2 ? "none" : "too_fast"));
  for (int i = 0; i < 100; ++i)
    CHECK(x.arrive(std::nullopt, start) == (i < 8 ? "none" : "too_fast"));
  CHECK(x.arrive(from("192.0.2.2"), start) == "too_fast");
  CHECK(x.arrive(from("192.0.2.1"), start + 500ms) == "none");
}

TEST_CASE("a refusal says which limit it was") {
  door x{{.connections = 1, .arrivals = {1, 1s}}};
  x.enter(std::nullopt);
  turnstile::place place;
  CHECK(x.counts->enter(0, std::nullopt, place)->detail ==
        "there are 1 connections already, which is the most");
  x.arrive(std::nullopt, start);
  CHECK(x.counts->arrive(std::nullopt, start)->detail == "more than 1 connections a second in all");
}

TEST_CASE("addresses that came long ago are forgotten") {
  door x{{.arrivals_per_address = {1, 1s}}};
  for (uint32_t i = 0; i < 100'000; ++i) {
    const uint8_t bytes[4]{10, static_cast<uint8_t>(i >> 16), static_cast<uint8_t>(i >> 8),
                           static_cast<uint8_t>(i)};
    // A thousand a second, of which each counts for one.
    REQUIRE(x.arrive(ip_address::v4(bytes), start + std::chrono::milliseconds{i}) == "none");
    REQUIRE(x.counts->addresses() <= 4096);
  }
}

TEST_CASE("a place may outlive everything else") {
  turnstile::place place;
  {
    auto counts =
        std::make_shared<turnstile>(turnstile_limits{.connections = 1}, std::vector<size_t>{0});
    CHECK_FALSE(counts->enter(0, std::nullopt, place));
    turnstile::place other = std::move(place);
    place = std::move(other);
    CHECK(counts->inside() == 1);
  }
  place = {};
}
