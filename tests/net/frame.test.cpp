#include "net/frame.hpp"

#include "wire.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

using namespace tandem;
using namespace tandem::net;

namespace {

std::vector<std::byte> random_bytes(std::mt19937_64& rng, size_t n) {
  std::vector<std::byte> out(n);
  std::ranges::generate(out, [&] { return static_cast<std::byte>(rng() & 0xFF); });
  return out;
}

} // namespace

TEST_CASE("a head is written in its shortest form") {
  struct row {
    uint64_t length;
    size_t size;
  };
  auto [length, size] = GENERATE(values<row>({
      {0, 2},
      {1, 2},
      {125, 2},
      {126, 4},
      {127, 4},
      {65535, 4},
      {65536, 10},
      {UINT64_MAX >> 1, 10},
      {UINT64_MAX, 10},
  }));
  auto masked = GENERATE(false, true);
  auto fin = GENERATE(false, true);
  auto op = GENERATE(opcode::continuation, opcode::text, opcode::binary, opcode::close,
                     opcode::ping, opcode::pong);
  CAPTURE(length, masked, fin, op);
  frame_head head{.op = op, .fin = fin, .reserved = 0, .length = length, .mask = {}};
  wire::frame same{.opcode = static_cast<uint8_t>(op), .fin = fin, .length = length};
  if (masked) {
    head.mask = mask_key{std::byte{1}, std::byte{2}, std::byte{0xFE}, std::byte{0xFF}};
    same.mask = 0x0102FEFFU;
  }

  std::byte bytes[max_head_size];
  auto n = write_head(head, bytes);
  CHECK(n == size + (masked ? 4 : 0));
  CHECK(wire::to_text({bytes, n}) == wire::encode(same));
  CHECK(head_size(bytes[0], bytes[1]) == n);

  auto read = read_head(bytes);
  CHECK(read.op == op);
  CHECK(read.fin == fin);
  CHECK(read.reserved == 0);
  CHECK(read.length == length);
  CHECK(read.mask == head.mask);
}

TEST_CASE("reading a head judges nothing") {
  auto second = GENERATE(0x00, 0x7D, 0x7E, 0x7F, 0x80, 0xFD, 0xFE, 0xFF);
  for (int first = 0; first < 256; ++first) {
    auto text = std::string{wire::octet(first), wire::octet(second)} + std::string(12, '\0');
    auto bytes = std::as_bytes(std::span{text});
    auto head = read_head(bytes.data());
    CAPTURE(first, second);
    CHECK(head.fin == (first >= 0x80));
    CHECK(head.reserved == (first >> 4 & 7));
    CHECK(static_cast<int>(head.op) == (first & 0xF));
    CHECK(head.mask.has_value() == (second >= 0x80));
    CHECK(head.length == ((second & 0x7F) < 126 ? second & 0x7F : 0));
  }
}

TEST_CASE("the reserved bits survive being written and read") {
  auto reserved = static_cast<uint8_t>(GENERATE(range(0, 8)));
  std::byte bytes[max_head_size];
  write_head({.op = opcode::text, .fin = true, .reserved = reserved, .length = 3, .mask = {}},
             bytes);
  CHECK(read_head(bytes).reserved == reserved);
  CHECK(read_head(bytes).op == opcode::text);
}

TEST_CASE("close and ping and pong are control frames") {
  for (uint8_t code = 0; code < 16; ++code)
    CHECK(is_control(static_cast<opcode>(code)) == (code >= 8));
}

TEST_CASE("a mask goes on from any phase at any length and address") {
  std::mt19937_64 rng{1};
  const mask_key key{std::byte{0x37}, std::byte{0xFA}, std::byte{0x21}, std::byte{0x3D}};
  auto phase = GENERATE(range(size_t{0}, size_t{9}));
  for (size_t n = 0; n <= 100; ++n) {
    for (size_t offset = 0; offset < 8; ++offset) {
      // On the heap at its exact size, so that a sanitizer sees what goes past the ends.
      auto in = random_bytes(rng, offset + n);
      std::vector<std::byte> out(offset + n);
      std::vector<std::byte> expected(offset + n);
      for (size_t i = 0; i < n; ++i)
        expected[offset + i] = in[offset + i] ^ key[(phase + i) % 4];
      apply_mask(in.data() + offset, out.data() + offset, n, key, phase);
      REQUIRE(out == expected);

      std::fill_n(in.begin(), offset, std::byte{0});
      apply_mask(in.data() + offset, in.data() + offset, n, key, phase);
      REQUIRE(in == expected);
    }
  }
}

TEST_CASE("a payload masked in parts is the payload masked at once") {
  std::mt19937_64 rng{2};
  const mask_key key{std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}};
  const auto in = random_bytes(rng, 1000);
  std::vector<std::byte> whole(in.size());
  apply_mask(in.data(), whole.data(), in.size(), key, 0);

  std::vector<std::byte> parts(in.size());
  for (size_t at = 0; at < in.size();) {
    auto n = std::min<size_t>(rng() % 30, in.size() - at);
    apply_mask(in.data() + at, parts.data() + at, n, key, at);
    at += n;
  }
  CHECK(parts == whole);
}

TEST_CASE("close codes that may stand on the wire") {
  std::vector<int> valid;
  for (int code = 0; code <= UINT16_MAX; ++code)
    if (is_valid_close_code(static_cast<uint16_t>(code)))
      valid.push_back(code);
  std::vector<int> expected{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014};
  for (int code = 3000; code <= 4999; ++code)
    expected.push_back(code);
  CHECK(valid == expected);
}
