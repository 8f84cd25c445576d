#include "tests/bench/load/payload.hpp"

#include "tests/bench/load/mix.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

namespace tandem::bench {

static_assert(std::endian::native == std::endian::little, "the patterns below are little-endian");

namespace {

constexpr size_t word_size = 8;
constexpr uint64_t odd_step = 0x9E3779B97F4A7C15;

/// A pattern that turns eight random bytes into valid UTF-8: the bits to keep, and the bits to set.
struct utf8_pattern {
  uint64_t keep;
  uint64_t set;
};

/// Eight characters of one byte, '0' to 'o'.
constexpr utf8_pattern ascii{0x3F3F3F3F3F3F3F3F, 0x3030303030303030};

/// One-byte characters; two and three and three bytes; four and four bytes; three, two, three ones.
constexpr std::array<utf8_pattern, 4> patterns{{
    ascii,
    {0x3F3F003F3F003F00, 0x8080E48080E280C3},
    {0x3F3F3F003F3F3F00, 0x808080F2808080F1},
    {0x3F3F3F3F003F3F00, 0x30303080D08080E7},
}};

constexpr uint64_t as_text(uint64_t word, const utf8_pattern& pattern) noexcept {
  return (word & pattern.keep) | pattern.set;
}

size_t common_prefix(const std::byte* a, const std::byte* b, size_t n) noexcept {
  return static_cast<size_t>(std::mismatch(a, a + n, b).first - a);
}

} // namespace

payload::payload(uint64_t seed, uint64_t size, bool text, bool stored) noexcept
    : seed_(seed), size_(size), text_(text), stored_(stored) {}

uint64_t payload::word(uint64_t index) const noexcept {
  auto random = mix(seed_ + index * odd_step);
  if (stored_)
    return as_stored(random, index);
  if (!text_)
    return random;
  // A last word that is cut short must not cut a character.
  auto whole = index < size_ / word_size;
  return as_text(random, whole ? patterns[random >> 62] : ascii);
}

/// Puts what makes a block of it around the message: in front the type, the length and its
/// complement, and at the end the beginning of the empty block whose rest is cut off.
uint64_t payload::as_stored(uint64_t word, uint64_t index) const noexcept {
  if (index == 0) {
    auto length = size_ - stored_overhead;
    word = (word & ~0xFFFFFFFFFFULL) | length << 8 | (~length & 0xFFFF) << 24;
  }
  if (index == (size_ - 1) / word_size)
    word &= ~(0xFFULL << 8 * ((size_ - 1) % word_size));
  return word;
}

/// Visits `n` bytes from `offset` on: `on_part(position, word, from, count)` for words of which
/// only some bytes are wanted, `on_word(position, word)` for whole ones. A visitor that returns
/// false ends the walk.
template <class Part, class Word>
void payload::walk(uint64_t offset, size_t n, Part on_part, Word on_word) const noexcept {
  size_t done = 0;
  auto index = offset / word_size;
  if (auto skip = static_cast<size_t>(offset % word_size); skip != 0 && n > 0) {
    done = std::min(word_size - skip, n);
    if (!on_part(size_t{0}, word(index++), skip, done))
      return;
  }
  for (; done + word_size <= n; done += word_size)
    if (!on_word(done, word(index++)))
      return;
  if (done < n)
    on_part(done, word(index), size_t{0}, n - done);
}

void payload::write(uint64_t offset, std::span<std::byte> out) const noexcept {
  auto* to = out.data();
  walk(
      offset, out.size(),
      [to](size_t at, uint64_t word, size_t from, size_t count) {
        auto bytes = std::bit_cast<std::array<std::byte, word_size>>(word);
        std::copy_n(bytes.data() + from, count, to + at);
        return true;
      },
      [to](size_t at, uint64_t word) {
        std::memcpy(to + at, &word, word_size);
        return true;
      });
}

std::optional<uint64_t> payload::first_difference(uint64_t offset,
                                                  std::span<const std::byte> in) const noexcept {
  auto inside =
      static_cast<size_t>(std::min<uint64_t>(in.size(), offset < size_ ? size_ - offset : 0));
  const auto* data = in.data();
  std::optional<size_t> found;
  auto on_part = [&](size_t at, uint64_t word, size_t from, size_t count) {
    auto bytes = std::bit_cast<std::array<std::byte, word_size>>(word);
    auto same = common_prefix(bytes.data() + from, data + at, count);
    if (same < count)
      found = at + same;
    return same == count;
  };
  walk(offset, inside, on_part, [&](size_t at, uint64_t word) {
    uint64_t there = 0;
    std::memcpy(&there, data + at, word_size);
    return there == word || on_part(at, word, 0, word_size);
  });
  if (found)
    return offset + *found;
  if (inside < in.size())
    return offset + inside;
  return std::nullopt;
}

payload script::message(uint64_t pair, direction way, uint64_t sequence) const noexcept {
  auto seed = mix(mix(pair * 2 + static_cast<uint64_t>(way) + odd_step) + sequence);
  return {seed, sizes.at(pair, sequence), text, compressed};
}

} // namespace tandem::bench
