/// A queue in one piece of memory.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace tandem::net {

/// First in, first out, without an allocation for what comes and goes. Owns little memory while it
/// is empty.
template <class T>
class fifo {
public:
  bool empty() const noexcept { return first_ == items_.size(); }
  size_t size() const noexcept { return items_.size() - first_; }

  const T& front() const noexcept { return items_[first_]; }

  void push(T x) { items_.push_back(std::move(x)); }

  T pop() noexcept {
    T x = std::move(items_[first_++]);
    if (empty()) {
      items_.clear();
      first_ = 0;
      if (items_.capacity() > kept)
        items_.shrink_to_fit();
    } else if (first_ * 2 > items_.size() && first_ >= compact_at) {
      items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(first_));
      first_ = 0;
    }
    return x;
  }

  /// Takes `x` out, wherever it stands.
  void remove(const T& x) {
    items_.erase(std::remove(items_.begin() + static_cast<std::ptrdiff_t>(first_), items_.end(), x),
                 items_.end());
  }

  void clear() noexcept {
    items_ = {};
    first_ = 0;
  }

private:
  /// One that grew past so many items gives its memory back when it is empty.
  static constexpr size_t kept = 1024;
  static constexpr size_t compact_at = 64;

  std::vector<T> items_;
  size_t first_ = 0;
};

} // namespace tandem::net
