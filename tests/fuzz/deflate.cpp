// Any bytes as what a client sends that has agreed on compression. The first three bytes choose
// what it and its peer agreed on, and the limits; the fourth how the stream is cut into reads; the
// rest is the stream. What comes out has to be whole frames, the same however it was read, and the
// same for a peer that takes everything compressed as for one that takes nothing compressed.
#include "net/decoder.hpp"
#include "net/deflating.hpp"
#include "net/recoding.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

using namespace tandem;

namespace {

net::deflate_params params_by(uint8_t choice) {
  return {.agreed = true,
          .client_window_bits = static_cast<uint8_t>(8 + (choice & 7)),
          .server_window_bits = static_cast<uint8_t>(9 + (choice >> 3 & 7) % 7),
          .client_keeps_context = (choice & 64) != 0,
          .server_keeps_context = (choice & 128) != 0};
}

net::recoder_options options_by(uint8_t choice) {
  constexpr uint64_t max_message[] = {1 << 20, 70'000, 1000, 0};
  constexpr size_t piece[] = {64 << 10, 1000, 100, 64};
  constexpr size_t threshold[] = {0, 1, 100, 5000};
  return {.max_message = max_message[choice & 3],
          .piece = piece[choice >> 2 & 3],
          .threshold = threshold[choice >> 4 & 3],
          .level = (choice & 64) != 0 ? 1 : 6,
          .memory_level = (choice & 128) != 0 ? 1 : 8};
}

struct result {
  std::vector<net::coded_message> messages;
  std::optional<end_reason> fault;
};

/// Decodes and recodes `stream`, in reads of `size(left)` bytes.
template <class Size>
result run(std::string stream, const net::deflate_params& from, const net::deflate_params& to,
           const net::recoder_options& options, Size size) {
  using event = net::frame_decoder::event;
  net::frame_decoder decoder{net::sender::client, {}, {.deflate = true}};
  net::recoding recoding{from, to, options};
  auto push = [&](const net::chunk& frames) {
    if (!frames.empty())
      recoding.push(wire::to_text(frames.bytes()));
    recoding.run();
  };
  auto rest = std::as_writable_bytes(std::span{stream});
  std::optional<end_reason> fault;
  for (bool over = false; !over && !rest.empty();) {
    auto in = rest.first(size(rest.size()));
    rest = rest.subspan(in.size());
    net::chunk_builder out{in.size() + net::max_head_size};
    for (auto what = event::ping; what != event::starved && !over;) {
      what = decoder.next(in, out);
      if (what == event::piece)
        push(decoder.take_piece());
      over = what == event::close || what == event::violation;
      if (what == event::violation)
        fault = decoder.fault().reason;
    }
    push(out.seal());
    over = over || recoding.fault();
  }
  return {recoding.messages(), recoding.fault() ? recoding.fault() : fault};
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 4)
    return 0;
  const auto from = params_by(data[0]);
  const auto to = params_by(data[1]);
  const auto options = options_by(data[2]);
  const std::string stream{reinterpret_cast<const char*>(data) + 4, size - 4};
  const auto all = [](size_t left) { return left; };
  std::minstd_rand random{data[3]};
  const auto most = size_t{1} << data[3] % 12;

  const auto plain = run(stream, from, {}, options, all);
  const auto cut = run(stream, from, {}, options,
                       [&](size_t left) { return std::min<size_t>(left, 1 + random() % most); });
  const auto deflated = run(stream, from, to, options, all);
  // Whether a reference beyond a smaller window than the largest is taken depends on how much is
  // inflated at once.
  if (from.client_window_bits < net::max_window_bits)
    return 0;
  wire::expect(plain.messages == cut.messages, "it matters how the stream is read");
  wire::expect(plain.fault == cut.fault, "it matters to the fault how the stream is read");

  wire::expect(plain.fault == deflated.fault, "the faults differ by what the peer takes");
  wire::expect(plain.messages.size() == deflated.messages.size(), "the numbers differ");
  wire::message_inflater inflate{to.server_window_bits, to.server_keeps_context};
  for (size_t i = 0; i < plain.messages.size(); ++i) {
    const auto& x = deflated.messages[i];
    wire::expect(!plain.messages[i].compressed, "a message is compressed for nobody");
    wire::expect((x.compressed ? inflate(x.payload) : x.payload) == plain.messages[i].payload,
                 "the messages differ by what the peer takes");
  }
  return 0;
}
