// Random streams of frames, read in random parts.
#include "decoding.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <random>
#include <string>
#include <string_view>

using namespace tandem;
using namespace tandem::net;

namespace {

using generator = std::mt19937_64;

size_t below(generator& rng, size_t n) {
  return rng() % n;
}

size_t random_length(generator& rng) {
  constexpr size_t borders[] = {0, 1, 124, 125, 126, 127, 1000, 4096, 65534, 65535, 65536, 65537};
  switch (below(rng, 8)) {
  case 0:
    return borders[below(rng, std::size(borders))];
  case 1:
    return below(rng, 3000);
  default:
    return below(rng, 40);
  }
}

/// Characters of one to four bytes.
std::string random_text(generator& rng, size_t length) {
  constexpr std::string_view characters[] = {"a",
                                             "\x7F",
                                             "\xC2\x80",
                                             "\xDF\xBF",
                                             "\xE0\xA0\x80",
                                             "\xED\x9F\xBF",
                                             "\xEF\xBF\xBF",
                                             "\xF0\x90\x80\x80",
                                             "\xF4\x8F\xBF\xBF"};
  std::string out;
  while (out.size() < length)
    out += characters[below(rng, std::size(characters))];
  return out;
}

std::string random_binary(generator& rng, size_t length) {
  std::string out(length, '\0');
  std::ranges::generate(out, [&] { return wire::octet(rng()); });
  return out;
}

/// A correct stream and what it means.
class stream {
public:
  stream(generator& rng, bool is_client) : rng_{rng}, is_client_{is_client} {
    for (auto n = 1 + below(rng_, 12); n > 0; --n) {
      add_controls();
      add_message();
    }
  }

  std::string bytes;
  wire::outcome meaning;

private:
  void add_message() {
    const auto is_text = below(rng_, 2) == 0;
    const auto length = random_length(rng_);
    wire::message x{is_text ? wire::text : wire::binary,
                    is_text ? random_text(rng_, length) : random_binary(rng_, length)};
    std::string_view rest = x.payload;
    auto opcode = x.opcode;
    while (below(rng_, 3) == 0) {
      auto part = rest.substr(0, below(rng_, rest.size() + 1));
      add_frame({.opcode = opcode, .payload = std::string{part}, .fin = false});
      add_controls();
      rest.remove_prefix(part.size());
      opcode = wire::continuation;
    }
    add_frame({.opcode = opcode, .payload = std::string{rest}});
    meaning.messages.push_back(std::move(x));
  }

  void add_controls() {
    while (below(rng_, 4) == 0) {
      wire::control x{below(rng_, 2) == 0 ? wire::ping : wire::pong,
                      random_binary(rng_, below(rng_, 126)), 0, meaning.messages.size()};
      add_frame({.opcode = x.opcode, .payload = x.payload});
      meaning.controls.push_back(std::move(x));
    }
  }

  void add_frame(wire::frame x) {
    if (is_client_)
      x.mask = static_cast<uint32_t>(rng_());
    bytes += wire::encode(x);
  }

  generator& rng_;
  bool is_client_;
};

decoder_limits random_limits(generator& rng) {
  constexpr size_t pieces[] = {1, 2, 7, 100, 1000, 4096, 65536};
  return {.piece = pieces[below(rng, std::size(pieces))]};
}

/// Sizes of reads: small ones, or up to what a socket may give.
auto random_reads(generator& rng) {
  constexpr size_t most[] = {1, 3, 20, 500, 5000, 256 << 10};
  return [&rng, n = most[below(rng, std::size(most))]](size_t left) {
    return 1 + below(rng, std::min(left, n));
  };
}

sender random_sender(generator& rng) {
  return below(rng, 2) == 0 ? sender::client : sender::server;
}

} // namespace

TEST_CASE("messages and control frames come out as they went in however they are cut") {
  for (uint64_t seed = 0; seed < 400; ++seed) {
    CAPTURE(seed);
    generator rng{seed};
    const auto from = random_sender(rng);
    const stream sent{rng, from == sender::client};
    decoding run{from, random_limits(rng)};
    const auto got = run.run(sent.bytes, random_reads(rng));
    CHECK_FALSE(got.fault);
    CHECK_FALSE(got.unfinished);
    // Not CHECK, which would print megabytes.
    REQUIRE((got.messages == sent.meaning.messages));
    REQUIRE((got.controls == sent.meaning.controls));
    CHECK(run.decoder().held() == 0);
  }
}

TEST_CASE("the plain reference reads correct streams as they are meant") {
  for (uint64_t seed = 0; seed < 100; ++seed) {
    CAPTURE(seed);
    generator rng{seed};
    const bool is_client = below(rng, 2) == 0;
    const stream sent{rng, is_client};
    CHECK_NOTHROW(
        expect_same(wire::reference{is_client, UINT64_MAX}.read(sent.bytes), sent.meaning));
  }
}

TEST_CASE("a stream with wrong bytes is judged as the plain reference does") {
  size_t faults[256] = {};
  size_t closed = 0;
  for (uint64_t seed = 0; seed < 3000; ++seed) {
    CAPTURE(seed);
    generator rng{seed};
    const auto from = random_sender(rng);
    const bool is_client = from == sender::client;
    auto bytes = stream{rng, is_client}.bytes;
    bytes.resize(std::min<size_t>(bytes.size(), 5000));
    for (auto n = 1 + below(rng, 3); n > 0; --n)
      bytes[below(rng, bytes.size())] ^= wire::octet(1U << below(rng, 8));
    auto limits = random_limits(rng);
    limits.max_message = below(rng, 2) == 0 ? 1000 : UINT64_MAX;

    const auto expected = wire::reference{is_client, limits.max_message}.read(bytes);
    const auto got = decoding{from, limits}.run(bytes, random_reads(rng));
    REQUIRE_NOTHROW(expect_same(got, expected));
    ++faults[got.fault ? static_cast<size_t>(*got.fault) : 0];
    closed += !got.controls.empty() && got.controls.back().opcode == wire::close;
  }
  CHECK(faults[0] > 100);
  CHECK(faults[static_cast<size_t>(end_reason::protocol_error)] > 100);
  CHECK(faults[static_cast<size_t>(end_reason::invalid_utf8)] > 100);
  CHECK(faults[static_cast<size_t>(end_reason::too_big)] > 50);
  CHECK(closed > 0);
}
