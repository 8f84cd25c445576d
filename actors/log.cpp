#include "actors/log.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

namespace tandem {

namespace {

bool is_control(char c) {
  auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7F;
}

bool is_plain(char c) {
  return !is_control(c) && c != ' ' && c != '"' && c != '=' && c != '\\';
}

} // namespace

std::string log_value(std::string_view text) {
  if (!text.empty() && std::ranges::all_of(text, is_plain))
    return std::string{text};
  std::string out{'"'};
  for (auto c : text) {
    if (is_control(c)) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
      continue;
    }
    if (c == '"' || c == '\\')
      out += '\\';
    out += c;
  }
  return out + '"';
}

} // namespace tandem
