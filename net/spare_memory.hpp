/// Memory that a thread keeps for the next time, instead of freeing it.
#pragma once

#include <cstddef>
#include <new>

namespace tandem::net {

/// Blocks of one size, for what comes and goes at every turn. Each thread has its own, and keeps at
/// most `Most` of them. A block may be given back on another thread than it was taken on.
template <size_t Size, size_t Most>
class spare_memory {
public:
  /// Throws std::bad_alloc.
  static void* take() {
    auto& mine = list_;
    if (mine.first == nullptr)
      return ::operator new(Size);
    --mine.count;
    auto* taken = mine.first;
    mine.first = taken->next;
    return taken;
  }

  static void give(void* block) noexcept {
    auto& mine = list_;
    if (mine.count >= Most)
      return ::operator delete(block);
    ++mine.count;
    mine.first = ::new (block) node{mine.first};
  }

private:
  struct node {
    node* next;
  };
  static_assert(Size >= sizeof(node));

  struct list {
    node* first = nullptr;
    size_t count = 0;

    ~list() {
      while (first != nullptr) {
        auto* next = first->next;
        ::operator delete(first);
        first = next;
      }
      // What the thread frees after this isn't kept.
      count = Most;
    }
  };

  static inline thread_local list list_;
};

} // namespace tandem::net
