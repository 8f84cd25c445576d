#include "config/problem.hpp"

#include <algorithm>

namespace tandem::config {

std::string to_string(const problem& x) {
  auto result = x.source;
  for (auto number : {x.line, x.column})
    if (number != 0)
      result.append(":").append(std::to_string(number));
  for (const auto* part : {&x.key, &x.message})
    if (!part->empty())
      result.append(result.empty() ? "" : ": ").append(*part);
  return result;
}

std::string printable(std::string_view text) {
  constexpr size_t longest = 60;
  constexpr std::string_view digits = "0123456789abcdef";
  auto is_rest_of_character = [](char ch) { return (ch & 0xC0) == 0x80; };
  auto end = std::min(text.size(), longest);
  while (end < text.size() && end > 0 && is_rest_of_character(text[end]))
    --end;
  std::string result;
  for (auto ch : text.substr(0, end)) {
    auto byte = static_cast<unsigned char>(ch);
    if (byte < 0x20 || byte == 0x7F)
      result.append("\\x").append({digits[byte >> 4], digits[byte & 0xF]});
    else
      result.push_back(ch);
  }
  return end < text.size() ? result.append("...") : result;
}

} // namespace tandem::config
