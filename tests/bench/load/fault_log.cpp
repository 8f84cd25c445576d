#include "tests/bench/load/fault_log.hpp"

#include <utility>

namespace tandem::bench {

std::string_view to_string(fault kind) noexcept {
  switch (kind) {
  case fault::connect:
    return "connect";
  case fault::ended:
    return "ended";
  case fault::protocol:
    return "protocol";
  case fault::corrupt:
    return "corrupt";
  case fault::opcode:
    return "opcode";
  case fault::order:
    return "order";
  case fault::duplicate:
    return "duplicate";
  case fault::lost:
    return "lost";
  case fault::stalled:
    return "stalled";
  }
  return "unknown";
}

void fault_log::add(fault kind, std::string text, uint64_t times) {
  auto& faults = records_[static_cast<size_t>(kind)];
  faults.count += times;
  if (faults.texts.size() < texts_per_kind)
    faults.texts.push_back(std::move(text));
}

void fault_log::merge(const fault_log& other) {
  for (size_t i = 0; i < fault_kinds; ++i) {
    auto& mine = records_[i];
    mine.count += other.records_[i].count;
    for (const auto& text : other.records_[i].texts)
      if (mine.texts.size() < texts_per_kind)
        mine.texts.push_back(text);
  }
}

uint64_t fault_log::count(fault kind) const noexcept {
  return records_[static_cast<size_t>(kind)].count;
}

const std::vector<std::string>& fault_log::texts(fault kind) const noexcept {
  return records_[static_cast<size_t>(kind)].texts;
}

uint64_t fault_log::total() const noexcept {
  uint64_t sum = 0;
  for (const auto& each : records_)
    sum += each.count;
  return sum;
}

} // namespace tandem::bench
