// Random messages between random ends: what one sends is what the other reads.
#include "deflating.hpp"
#include "recoding.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <vector>

using namespace tandem;
using namespace tandem::net;

namespace {

using generator = std::mt19937;

size_t below(generator& random, size_t n) {
  return std::uniform_int_distribution<size_t>{0, n - 1}(random);
}

deflate_params random_params(generator& random) {
  return {.agreed = below(random, 4) != 0,
          .client_window_bits = static_cast<uint8_t>(9 + below(random, 7)),
          .server_window_bits = static_cast<uint8_t>(9 + below(random, 7)),
          .client_keeps_context = below(random, 2) == 0,
          .server_keeps_context = below(random, 2) == 0};
}

/// Anything from nothing to a few pieces, from noise to one letter, in ASCII.
std::string random_text(generator& random) {
  constexpr size_t sizes[] = {1, 20, 300, 5000, 200'000};
  std::string text(below(random, sizes[below(random, std::size(sizes))]), '\0');
  const auto letters = 1 + below(random, 90);
  for (auto& c : text)
    c = static_cast<char>(' ' + below(random, letters));
  return text;
}

std::vector<std::string> random_fragments(generator& random, std::string payload) {
  std::vector<std::string> result;
  while (below(random, 3) == 0) {
    auto n = below(random, payload.size() + 1);
    result.push_back(payload.substr(0, n));
    payload.erase(0, n);
  }
  result.push_back(payload);
  return result;
}

} // namespace

TEST_CASE("whatever one end sends is what the other end reads", "[recoder]") {
  for (unsigned seed = 0; seed < 300; ++seed) {
    CAPTURE(seed);
    generator random{seed};
    const auto from = random_params(random);
    const auto to = random_params(random);
    recoder_options options{.piece = 64 + below(random, recoder::largest_piece - 63),
                            .threshold = below(random, 300),
                            .level = static_cast<int>(1 + below(random, 9)),
                            .memory_level = static_cast<int>(1 + below(random, 9)),
                            .max_window_bits = static_cast<uint8_t>(9 + below(random, 7))};
    wire::message_deflater compress{from.client_window_bits, from.client_keeps_context};
    recoding run{from, to, options};

    std::vector<std::string> sent;
    std::string chunk;
    for (auto messages = 1 + below(random, 8); messages > 0; --messages) {
      sent.push_back(random_text(random));
      const bool compressed = from.agreed && below(random, 4) != 0;
      auto payload = compressed ? compress(sent.back()) : sent.back();
      const auto opcode = below(random, 2) == 0 ? wire::text : wire::binary;
      auto fragments = random_fragments(random, payload);
      // A chunk may end behind any frame.
      auto frames = frames_of(opcode, compressed, fragments);
      std::string_view rest = frames;
      for (size_t i = 0; i < fragments.size(); ++i) {
        const auto before = rest;
        wire::take_frame(rest);
        chunk += before.substr(0, before.size() - rest.size());
        if (below(random, 2) == 0) {
          run.push(std::exchange(chunk, {}));
          for (auto steps = below(random, 4); steps > 0 && run.step(); --steps) {
          }
        }
      }
    }
    if (!chunk.empty())
      run.push(chunk);
    run.run();

    REQUIRE_FALSE(run.fault());
    REQUIRE(run.messages().size() == sent.size());
    CHECK_FALSE(run.unfinished());
    wire::message_inflater inflate{to.server_window_bits, to.server_keeps_context};
    for (size_t i = 0; i < sent.size(); ++i) {
      const auto& x = run.messages()[i];
      REQUIRE((!x.compressed || to.agreed));
      REQUIRE((x.compressed ? inflate(x.payload) : x.payload) == sent[i]);
    }
  }
}

TEST_CASE("garbage is never inflated beyond the limit", "[recoder]") {
  for (unsigned seed = 0; seed < 300; ++seed) {
    CAPTURE(seed);
    generator random{seed};
    wire::message_deflater compress;
    auto payload = compress(random_text(random));
    for (auto flips = 1 + below(random, 3); flips > 0; --flips)
      payload[below(random, payload.size())] ^= static_cast<char>(1U << below(random, 8));
    recoding run{{.agreed = true}, random_params(random), {.max_message = 100'000, .threshold = 0}};
    run.push(frame_of({wire::binary, true, payload}));
    run.run();
    CHECK(run.messages().size() <= 1);
    if (run.messages().empty())
      CHECK(run.fault());
  }
}
