/// A session's socket: in clear, or with TLS above it.
#pragma once

#include "net/chunk.hpp"
#include "net/fd.hpp"
#include "net/tls_stream.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <sys/uio.h>
#include <utility>

namespace tandem::net {

/// Reads and writes a non-blocking socket, and owns it. Belongs to one thread at a time.
class transport {
public:
  /// In clear without `tls`, which is established otherwise.
  explicit transport(unique_fd fd, std::unique_ptr<tls_stream> tls = nullptr) noexcept
      : fd_{std::move(fd)}, tls_{std::move(tls)} {}

  int fd() const noexcept { return fd_.get(); }

  bool secure() const noexcept { return tls_ != nullptr; }

  struct incoming {
    /// So many bytes came; 0 if there was nothing, or if it was about TLS alone.
    size_t size = 0;
    /// Nothing more will come: the other end has finished, or the connection is broken.
    bool ended = false;
    /// What went wrong, for people; empty if nothing did.
    std::string_view fault{};
  };

  /// Reads once, into `buffer`. About `most` bytes come at most: TLS may have held back up to
  /// tls_stream::held_plaintext more, and reads enough to get on. `buffer` is larger than that.
  incoming read(std::span<std::byte> buffer, size_t most);

  struct outgoing {
    /// So many bytes of the parts were taken.
    size_t size = 0;
    /// The kernel took less than it was given.
    bool blocked = false;
    /// Nothing can be written any more.
    bool broken = false;
  };

  /// Writes what was held back, then of `parts` as much as the kernel takes. Over TLS, up to four
  /// records that it doesn't take are held back.
  outgoing write(std::span<const iovec> parts);

  /// Bytes that were taken and haven't been given to the kernel.
  size_t held_back() const noexcept { return held_.bytes().size() - held_sent_; }

  /// Tells the other end that nothing more will be written, which over TLS is a message of its own
  /// (RFC 8446, section 6.1). False if that is held back: write, and call this again.
  bool finish_writing();

  /// Whether the other end's machine has taken something since the last call; `waiting` becomes
  /// the bytes that it hasn't yet.
  bool progressed(size_t& waiting) noexcept;

  /// Has the kernel take little more than it can send at once.
  void keep_kernel_queue_short() noexcept;

private:
  incoming read_tls(std::span<std::byte> buffer, size_t most);
  outgoing write_tls(std::span<const iovec> parts);
  void send_output();
  bool send_held(outgoing& how);
  void hold(std::span<const std::byte> bytes);

  unique_fd fd_;
  uint32_t held_sent_ = 0;
  std::unique_ptr<tls_stream> tls_;
  /// Ciphertext that the kernel hasn't taken, and how much of it has left.
  chunk held_;
  /// Bytes that the kernel took, and how many of those had arrived at the last look.
  uint64_t sent_ = 0;
  uint64_t arrived_ = 0;
};

} // namespace tandem::net
