#include "net/subprotocol.hpp"

#include <algorithm>

namespace tandem::net {

std::vector<std::string> matching_subprotocols(std::string_view offered,
                                               std::span<const std::string> accepted) {
  constexpr std::string_view blanks = " \t";
  std::vector<std::string> result;
  while (!offered.empty() && result.size() < accepted.size()) {
    auto end = std::min(offered.find(','), offered.size());
    auto name = offered.substr(0, end);
    offered.remove_prefix(std::min(end + 1, offered.size()));
    auto begin = name.find_first_not_of(blanks);
    if (begin == std::string_view::npos)
      continue;
    name = name.substr(begin, name.find_last_not_of(blanks) - begin + 1);
    if (std::ranges::count(accepted, name) != 0 && std::ranges::count(result, name) == 0)
      result.emplace_back(name);
  }
  return result;
}

} // namespace tandem::net
