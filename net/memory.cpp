#include "net/memory.hpp"

#include "net/fd.hpp"
#include "net/scheduler.hpp"

#include <caf/ref_counted.hpp>
#include <caf/resumable.hpp>

#include <array>
#include <cstdlib>
#include <fcntl.h>
#include <malloc.h>
#include <memory>
#include <unistd.h>
#include <utility>

namespace tandem::net {

namespace {

constexpr int kept = 8 << 20;
constexpr int kept_in_calm = 128 << 10;

/// glibc looks whether the end of a thread's memory may go back when so large a block is freed.
constexpr size_t block_that_has_it_look = 128 << 10;

/// Gives the end of the thread's own memory back.
void trim_own_memory() {
  // Volatile, or the compiler would see that nothing is done with it.
  void* volatile block = std::malloc(block_that_has_it_look);
  std::free(block);
}

/// trim_own_memory as a job. The last one to go resets the threshold.
class trimming final : public caf::resumable, public caf::ref_counted {
public:
  explicit trimming(std::shared_ptr<void> reset) : reset_{std::move(reset)} {}

  subtype_t subtype() const override { return function_object; }

  resume_result resume(caf::execution_unit*, size_t) override {
    trim_own_memory();
    return done;
  }

  void intrusive_ptr_add_ref_impl() override { ref(); }
  void intrusive_ptr_release_impl() override { deref(); }

private:
  std::shared_ptr<void> reset_;
};

} // namespace

void keep_freed_memory() noexcept {
  ::mallopt(M_TRIM_THRESHOLD, kept);
  ::mallopt(M_MMAP_THRESHOLD, kept);
}

void give_back_memory(scheduler& workers) {
  // Pages between blocks that are in use, of all threads.
  ::malloc_trim(0);
  // The end of each thread's memory, which only the thread itself can give back.
  ::mallopt(M_TRIM_THRESHOLD, kept_in_calm);
  std::shared_ptr<void> reset{nullptr, [](void*) { ::mallopt(M_TRIM_THRESHOLD, kept); }};
  trim_own_memory();
  for (size_t i = 0; i < workers.networks(); ++i)
    workers.network(i).exec_later(new trimming{reset});
}

uint64_t resident_bytes() noexcept {
  const unique_fd file{::open("/proc/self/statm", O_RDONLY | O_CLOEXEC)};
  std::array<char, 128> text{};
  if (file.get() < 0 || ::read(file.get(), text.data(), text.size() - 1) <= 0)
    return 0;
  // In pages: all, and those that are resident.
  char* end = nullptr;
  std::strtoull(text.data(), &end, 10);
  return std::strtoull(end, nullptr, 10) * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
}

} // namespace tandem::net
