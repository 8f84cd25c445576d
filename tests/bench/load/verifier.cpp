#include "tests/bench/load/verifier.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tandem::bench {

namespace {

/// How far from its place a message is looked for.
constexpr uint64_t search_distance = 1024;
/// Fewer bytes than that can be those of some neighbour by mere chance.
constexpr uint64_t least_recognisable = 5;
constexpr size_t most_missing = 4096;

} // namespace

verifier::verifier(const script& what, uint64_t pair, direction way, bool check, fault_log& log)
    : script_(&what), log_(&log), pair_(pair), way_(way), check_(check),
      due_(what.message(pair, way, 0)) {}

bool verifier::take(const frame_event& piece) {
  if (check_)
    check_piece(piece);
  if (!piece.last)
    return false;
  ++received_;
  if (check_)
    check_end(piece.op);
  return true;
}

void verifier::check_piece(const frame_event& piece) {
  auto bytes = piece.bytes;
  if (offset_ < beginning_.size()) {
    auto n = std::min<uint64_t>(beginning_.size() - offset_, bytes.size());
    std::copy_n(bytes.data(), n, beginning_.data() + offset_);
  }
  if (!difference_)
    difference_ = due_.first_difference(offset_, bytes);
  offset_ += bytes.size();
}

void verifier::check_end(net::opcode op) {
  if (op != script_->opcode())
    log_->add(fault::opcode, fmt::format("{}: message {} came as {}", where(), expected_,
                                         op == net::opcode::text ? "text" : "binary"));
  if (!difference_ && offset_ < due_.size())
    difference_ = offset_;
  if (difference_)
    identify();
  else
    ++expected_;
  due_ = script_->message(pair_, way_, expected_);
  offset_ = 0;
  difference_.reset();
}

/// Finds out what the message is that isn't the expected one.
void verifier::identify() {
  auto found = recognise();
  if (!found) {
    log_->add(fault::corrupt,
              fmt::format("{}: message {} ({} bytes, expected {}) differs from byte {} on", where(),
                          expected_, offset_, due_.size(), *difference_));
    ++expected_;
  } else if (*found > expected_) {
    skip_to(*found);
  } else {
    take_late(*found);
  }
}

/// The nearest message that this one could be.
std::optional<uint64_t> verifier::recognise() const {
  if (offset_ < least_recognisable)
    return std::nullopt;
  for (uint64_t distance = 1; distance <= search_distance; ++distance) {
    if (looks_like(expected_ + distance))
      return expected_ + distance;
    if (distance <= expected_ && looks_like(expected_ - distance))
      return expected_ - distance;
  }
  return std::nullopt;
}

bool verifier::looks_like(uint64_t sequence) const {
  if (script_->sizes.at(pair_, sequence) != offset_)
    return false;
  auto n = static_cast<size_t>(std::min<uint64_t>(beginning_.size(), offset_));
  auto message = script_->message(pair_, way_, sequence);
  return !message.first_difference(0, std::span{beginning_}.first(n));
}

void verifier::skip_to(uint64_t sequence) {
  log_->add(fault::order,
            fmt::format("{}: message {} came where {} was due", where(), sequence, expected_));
  for (; expected_ < sequence; ++expected_) {
    if (missing_.size() < most_missing)
      missing_.insert(expected_);
    else
      ++missing_uncounted_;
  }
  ++expected_;
}

void verifier::take_late(uint64_t sequence) {
  if (missing_.erase(sequence) == 0)
    log_->add(fault::duplicate, fmt::format("{}: message {} came again", where(), sequence));
}

void verifier::finish(uint64_t sent) {
  if (!check_) {
    if (received_ < sent)
      log_->add(fault::lost,
                fmt::format("{}: {} of {} messages never came", where(), sent - received_, sent),
                sent - received_);
    else if (received_ > sent)
      log_->add(fault::duplicate,
                fmt::format("{}: {} messages came, {} were sent", where(), received_, sent),
                received_ - sent);
    return;
  }
  auto tail = sent > expected_ ? sent - expected_ : 0;
  auto lost = missing_.size() + missing_uncounted_ + tail;
  if (lost == 0)
    return;
  auto first = missing_.empty() ? expected_ : *missing_.begin();
  log_->add(fault::lost,
            fmt::format("{}: {} of {} messages never came, the first of them number {}", where(),
                        lost, sent, first),
            lost);
}

std::string verifier::where() const {
  return fmt::format("pair {}, at the {}", pair_,
                     way_ == direction::to_worker ? "worker" : "client");
}

} // namespace tandem::bench
