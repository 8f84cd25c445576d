#include "net/chunk.hpp"

#include "idle_config.hpp"
#include "wire.hpp"

#include <caf/actor_system.hpp>
#include <caf/binary_deserializer.hpp>
#include <caf/binary_serializer.hpp>
#include <catch2/catch.hpp>

#include <algorithm>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

using namespace tandem;
using namespace tandem::net;

namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span{text});
}

std::string_view text_of(const chunk& x) {
  return wire::to_text(x.bytes());
}

} // namespace

TEST_CASE("a chunk that was never filled is empty and costs nothing") {
  const chunk nothing;
  CHECK(nothing.empty());
  CHECK(nothing.bytes().empty());
  CHECK(nothing.cost() == 0);
  CHECK(to_string(nothing) == "chunk(0 bytes)");
}

TEST_CASE("a chunk holds a copy of its bytes and costs its block") {
  std::string text = "some bytes";
  const auto x = make_chunk(bytes_of(text));
  text = "other ones";
  CHECK(text_of(x) == "some bytes");
  CHECK_FALSE(x.empty());
  CHECK(x.cost() == sizeof(chunk_block) + 10);
  CHECK(to_string(x) == "chunk(10 bytes)");
}

TEST_CASE("a chunk of no bytes is empty") {
  const auto x = make_chunk({});
  CHECK(x.empty());
  CHECK(x.bytes().empty());
}

TEST_CASE("copies of a chunk share its bytes and outlive each other") {
  auto first = make_chunk(bytes_of("shared"));
  const auto second = first;
  CHECK(second.bytes().data() == first.bytes().data());
  first = {};
  CHECK(text_of(second) == "shared");
}

TEST_CASE("what is built in random steps is what is sealed") {
  std::mt19937_64 rng{1};
  for (int round = 0; round < 200; ++round) {
    auto builder = rng() % 2 == 0 ? chunk_builder{} : chunk_builder{rng() % 100};
    std::string expected;
    for (auto steps = rng() % 20; steps > 0; --steps) {
      const std::string part(rng() % 50, wire::octet(rng()));
      switch (rng() % 3) {
      case 0:
        builder.append(bytes_of(part));
        expected += part;
        break;
      case 1: {
        // Only a part of what was asked for is used.
        auto* to = builder.prepare(part.size() + 10);
        std::copy_n(bytes_of(part).data(), part.size(), to);
        builder.commit(part.size());
        expected += part;
        break;
      }
      default:
        expected.resize(rng() % (expected.size() + 1));
        builder.truncate(expected.size());
      }
      REQUIRE(builder.size() == expected.size());
    }
    const auto cost = builder.cost();
    const auto sealed = builder.seal();
    CHECK(text_of(sealed) == expected);
    CHECK(sealed.cost() == cost);
    CHECK_FALSE(builder);
    CHECK(builder.size() == 0);
    CHECK(builder.cost() == 0);
  }
}

TEST_CASE("a builder with room doesn't move what it has") {
  chunk_builder builder{100};
  builder.append(bytes_of("first"));
  const auto* data = builder.data();
  builder.append(bytes_of(std::string(95, 'x')));
  CHECK(builder.data() == data);
  builder.append(bytes_of("!"));
  CHECK(builder.size() == 101);
  CHECK(builder.cost() == sizeof(chunk_block) + 200);
}

TEST_CASE("a builder grows no further than it was told") {
  chunk_builder builder;
  while (builder.size() < 1000) {
    builder.prepare(10, 1000);
    builder.commit(10);
    REQUIRE(builder.cost() <= sizeof(chunk_block) + 1000);
  }
}

TEST_CASE("a chunk survives being sent to another node") {
  idle_config config;
  caf::actor_system system{config};
  auto text = GENERATE(as<std::string>{}, "", "x", "\xC3\xFF and more", std::string(100'000, 'l'));
  auto sent = make_chunk(bytes_of(text));
  std::vector<char> buffer;
  caf::binary_serializer sink{system, buffer};
  REQUIRE_FALSE(sink(sent));

  auto got = make_chunk(bytes_of("what was there before"));
  caf::binary_deserializer source{system, buffer};
  REQUIRE_FALSE(source(got));
  CHECK((text_of(got) == text));
  CHECK(source.remaining() == 0);
}

TEST_CASE("a chunk that is cut on its way is an error") {
  idle_config config;
  caf::actor_system system{config};
  auto sent = make_chunk(bytes_of("not all of this arrives"));
  std::vector<char> buffer;
  caf::binary_serializer sink{system, buffer};
  REQUIRE_FALSE(sink(sent));
  buffer.pop_back();

  chunk got;
  caf::binary_deserializer source{system, buffer};
  CHECK(source(got));
  CHECK(got.empty());
}

TEST_CASE("what all chunks hold is known to within a step") {
  constexpr uint64_t step = 64 << 10;
  constexpr size_t size = 10 << 20;
  const auto before = buffered_bytes();
  {
    auto x = chunk_builder{size}.seal();
    CHECK(buffered_bytes() + step >= before + size);
    // A copy shares the bytes.
    auto y = x;
    CHECK(buffered_bytes() <= before + size + 2 * step);
  }
  CHECK(buffered_bytes() <= before + step);
}

TEST_CASE("what all chunks held at most is told once") {
  constexpr uint64_t step = 64 << 10;
  constexpr size_t size = 10 << 20;
  take_peak_of_buffered_bytes();
  const auto before = buffered_bytes();
  chunk_builder{size}.seal();
  CHECK(take_peak_of_buffered_bytes() + step >= before + size);
  CHECK(take_peak_of_buffered_bytes() <= before + step);
}
