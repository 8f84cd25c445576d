#include "net/subprotocol.hpp"

#include <algorithm>

namespace tandem::net {

namespace {

/// Cuts the first name off a list, which may be empty then: what stands up to the next comma,
/// without the blanks around it.
std::string_view cut_name(std::string_view& list) {
  constexpr std::string_view blanks = " \t";
  auto end = std::min(list.find(','), list.size());
  auto name = list.substr(0, end);
  list.remove_prefix(std::min(end + 1, list.size()));
  name.remove_prefix(std::min(name.find_first_not_of(blanks), name.size()));
  return name.substr(0, name.find_last_not_of(blanks) + 1);
}

} // namespace

std::vector<std::string> matching_subprotocols(std::string_view offered,
                                               std::span<const std::string> accepted) {
  std::vector<std::string> result;
  while (!offered.empty() && result.size() < accepted.size()) {
    auto name = cut_name(offered);
    if (std::ranges::count(accepted, name) != 0 && std::ranges::count(result, name) == 0)
      result.emplace_back(name);
  }
  return result;
}

framing offered_framing(std::string_view offered) {
  while (!offered.empty()) {
    auto name = cut_name(offered);
    for (auto frames : {framing::binary, framing::json})
      if (name == subprotocol_of(frames))
        return frames;
  }
  return framing::raw;
}

std::string_view subprotocol_of(framing frames) noexcept {
  switch (frames) {
  case framing::raw:
    return "";
  case framing::binary:
    return "tandem.v1";
  case framing::json:
    return "tandem.json.v1";
  }
  return "";
}

} // namespace tandem::net
