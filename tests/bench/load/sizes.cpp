#include "tests/bench/load/sizes.hpp"

#include "tests/bench/load/mix.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <limits>

namespace tandem::bench {

namespace {

std::optional<uint64_t> parse_size(std::string_view text) {
  uint64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  // RFC 6455, section 5.2: the highest bit of a length is zero.
  if (error != std::errc{} || end != text.data() + text.size() || value >> 63 != 0)
    return std::nullopt;
  return value;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    auto end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos)
      return parts;
    text.remove_prefix(end + 1);
  }
}

} // namespace

size_mix::size_mix(uint64_t size) : sizes_{size} {}

std::optional<size_mix> size_mix::parse(std::string_view text) {
  auto range = text.find('-') != std::string_view::npos;
  size_mix result{0};
  result.sizes_.clear();
  result.range_ = range;
  for (auto part : split(text, range ? '-' : ',')) {
    auto size = parse_size(part);
    if (!size)
      return std::nullopt;
    result.sizes_.push_back(*size);
  }
  if (range && (result.sizes_.size() != 2 || result.sizes_[0] > result.sizes_[1]))
    return std::nullopt;
  return result;
}

uint64_t size_mix::at(uint64_t pair, uint64_t sequence) const noexcept {
  if (sizes_.size() == 1)
    return sizes_.front();
  if (range_ && sequence >= 2)
    return drawn(pair, sequence);
  return sizes_[sequence % sizes_.size()];
}

uint64_t size_mix::drawn(uint64_t pair, uint64_t sequence) const noexcept {
  auto lowest = sizes_[0];
  auto highest = sizes_[1];
  auto dice = mix(mix(pair + 1) + sequence);
  auto least_bits = std::bit_width(lowest);
  auto bits = least_bits + dice % (std::bit_width(highest) - least_bits + 1);
  auto from = std::max(lowest, bits == 0 ? 0 : uint64_t{1} << (bits - 1));
  auto to = std::min(highest, bits == 0 ? 0 : (uint64_t{1} << (bits - 1)) * 2 - 1);
  return from + mix(dice) % (to - from + 1);
}

uint64_t size_mix::messages_for(uint64_t pair, uint64_t bytes) const noexcept {
  if (*std::max_element(sizes_.begin(), sizes_.end()) == 0)
    return bytes == 0 ? 0 : std::numeric_limits<uint64_t>::max();
  if (sizes_.size() == 1)
    return bytes / sizes_.front() + (bytes % sizes_.front() != 0 ? 1 : 0);
  uint64_t count = 0;
  for (uint64_t sum = 0; sum < bytes; ++count)
    sum += at(pair, count);
  return count;
}

std::string size_mix::text() const {
  return fmt::format("{}", fmt::join(sizes_, range_ ? "-" : ","));
}

} // namespace tandem::bench
