/// What becomes of memory that was freed.
#pragma once

#include <cstdint>

namespace tandem::net {

class scheduler;

/// Keeps the memory of chunks, which come and go all the time, from going back to the kernel and
/// coming anew page by page: up to 8 MiB for each thread. Call it before there are threads.
void keep_freed_memory() noexcept;

/// Gives back what is free, these 8 MiB too. It takes a few milliseconds; a thread that asks for
/// memory just when its own is dealt with waits a part of that. Any thread.
void give_back_memory(scheduler& workers);

/// What the process has of the machine's memory, in bytes; 0 if that can't be told. Any thread.
uint64_t resident_bytes() noexcept;

} // namespace tandem::net
