#include "net/outbox.hpp"

#include <algorithm>
#include <utility>

namespace tandem::net {

namespace {

/// A queue that grew past this many entries gives its memory back when it is empty.
constexpr size_t kept_capacity = 8;

/// With so many entries gone from the front, the rest moves down.
constexpr size_t compact_at = 64;

} // namespace

void outbox::push(chunk frames) {
  entries_.push_back({std::move(frames), false});
}

void outbox::push_control(chunk frames) {
  control_bytes_ += frames.bytes().size();
  auto from = entries_.begin() + static_cast<ptrdiff_t>(first_ + (offset_ > 0 ? 1 : 0));
  auto at = std::find_if(from, entries_.end(), [](const entry& x) { return !x.is_control; });
  entries_.insert(at, {std::move(frames), true});
}

size_t outbox::gather(std::span<iovec> out) const noexcept {
  auto n = std::min(out.size(), entries_.size() - first_);
  for (size_t i = 0; i < n; ++i) {
    auto bytes = entries_[first_ + i].frames.bytes().subspan(i == 0 ? offset_ : 0);
    // iovec serves reading too, so it isn't const; writing leaves the bytes alone.
    out[i] = {const_cast<std::byte*>(bytes.data()), bytes.size()};
  }
  return n;
}

size_t outbox::consume(size_t n) noexcept {
  size_t cost = 0;
  for (; first_ < entries_.size(); ++first_) {
    auto& front = entries_[first_];
    auto left = front.frames.bytes().size() - offset_;
    if (front.is_control)
      control_bytes_ -= std::min(n, left);
    if (n < left) {
      offset_ += n;
      break;
    }
    n -= left;
    offset_ = 0;
    if (!front.is_control)
      cost += front.frames.cost();
    front.frames = {};
  }
  if (empty()) {
    clear();
  } else if (first_ >= compact_at) {
    entries_.erase(entries_.begin(), entries_.begin() + static_cast<ptrdiff_t>(first_));
    first_ = 0;
  }
  return cost;
}

void outbox::drop_waiting() noexcept {
  if (offset_ == 0)
    return clear();
  entries_.erase(entries_.begin() + static_cast<ptrdiff_t>(first_) + 1, entries_.end());
  const auto& begun = entries_[first_];
  control_bytes_ = begun.is_control ? begun.frames.bytes().size() - offset_ : 0;
}

void outbox::clear() noexcept {
  entries_.clear();
  if (entries_.capacity() > kept_capacity)
    entries_ = {};
  first_ = offset_ = control_bytes_ = 0;
}

} // namespace tandem::net
