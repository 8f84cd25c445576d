// Any bytes as what one peer sends. The first byte chooses the sender and the limits, the second
// how the stream is cut into reads; the rest is the stream. What comes out has to be whole frames,
// the same however it was read, and what a plain decoder finds that has all of the stream at hand.
#include "net/decoding.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string_view>

using namespace tandem;

namespace {

net::decoder_limits limits_by(uint8_t choice) {
  constexpr uint64_t max_message[] = {UINT64_MAX, 1000, 10, 0};
  constexpr size_t piece[] = {64 << 10, 100, 7, 1};
  return {.max_message = max_message[choice >> 1 & 3], .piece = piece[choice >> 3 & 3]};
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2)
    return 0;
  const auto from = (data[0] & 1) != 0 ? net::sender::server : net::sender::client;
  const auto limits = limits_by(data[0]);
  const std::string_view stream{reinterpret_cast<const char*>(data) + 2, size - 2};

  const auto whole = net::decoding{from, limits}.run(stream, [](size_t left) { return left; });
  std::minstd_rand random{data[1]};
  const auto most = size_t{1} << data[1] % 12;
  const auto cut = net::decoding{from, limits}.run(
      stream, [&](size_t left) { return std::min<size_t>(left, 1 + random() % most); });
  const auto expected =
      wire::reference{from == net::sender::client, limits.max_message}.read(stream);
  net::expect_same(whole, expected);
  net::expect_same(cut, expected);
  return 0;
}
