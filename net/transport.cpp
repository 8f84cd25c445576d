#include "net/transport.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <linux/sockios.h>
#include <memory>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace tandem::net {

namespace {

/// The least that is read of ciphertext, where the peer's credit would allow less: until a record
/// is whole, reading it takes nothing of that.
constexpr size_t least_ciphertext = 4096;

/// What is read into ahead of decrypting. The thread's streams take turns with it.
constexpr size_t ciphertext_size = size_t{128} << 10;

std::span<std::byte> ciphertext_buffer() {
  static thread_local const std::unique_ptr<std::byte[]> bytes{new std::byte[ciphertext_size]};
  return {bytes.get(), ciphertext_size};
}

transport::incoming receive(int fd, std::span<std::byte> buffer) {
  auto n = ::recv(fd, buffer.data(), buffer.size(), 0);
  if (n > 0)
    return {.size = static_cast<size_t>(n)};
  if (n < 0 && (errno == EAGAIN || errno == EINTR))
    return {};
  if (n < 0 && (errno == ETIMEDOUT || errno == EHOSTUNREACH || errno == ENETUNREACH))
    return {.ended = true, .fault = "the other end's machine acknowledges nothing any more"};
  return {.ended = true};
}

/// How much the kernel takes of `parts`.
transport::outgoing put(int fd, std::span<const iovec> parts) {
  msghdr message{};
  // Writing leaves the parts alone.
  message.msg_iov = const_cast<iovec*>(parts.data());
  message.msg_iovlen = parts.size();
  ssize_t n = 0;
  // Of one part, which is the most common, the kernel makes less.
  do
    n = parts.size() == 1 ? ::send(fd, parts[0].iov_base, parts[0].iov_len, MSG_NOSIGNAL)
                          : ::sendmsg(fd, &message, MSG_NOSIGNAL);
  while (n < 0 && errno == EINTR);
  if (n < 0 && errno != EAGAIN)
    return {.broken = true};
  size_t given = 0;
  for (const auto& part : parts)
    given += part.iov_len;
  const auto taken = static_cast<size_t>(std::max<ssize_t>(n, 0));
  return {.size = taken, .blocked = taken < given};
}

transport::outgoing put(int fd, std::span<const std::byte> bytes) {
  const iovec part{const_cast<std::byte*>(bytes.data()), bytes.size()};
  return put(fd, {&part, 1});
}

} // namespace

// -- reading ------------------------------------------------------------------

transport::incoming transport::read(std::span<std::byte> buffer, size_t most) {
  if (tls_)
    return read_tls(buffer, most);
  return receive(fd(), buffer.first(std::min(buffer.size(), most)));
}

transport::incoming transport::read_tls(std::span<std::byte> buffer, size_t most) {
  const auto room = std::min(ciphertext_size, buffer.size() - tls_stream::held_plaintext);
  const auto bytes = ciphertext_buffer().first(std::min(room, std::max(most, least_ciphertext)));
  auto got = receive(fd(), bytes);
  if (got.size == 0)
    return got;
  const auto status = tls_->receive(bytes.first(got.size), buffer, got.size);
  // Such as an alert, or its part of a change of keys.
  send_output();
  got.ended = status != tls_stream::status::open;
  if (status == tls_stream::status::failed)
    got.fault = tls_->fault();
  return got;
}

// -- writing ------------------------------------------------------------------

transport::outgoing transport::write(std::span<const iovec> parts) {
  if (tls_)
    return write_tls(parts);
  auto how = put(fd(), parts);
  sent_ += how.size;
  return how;
}

transport::outgoing transport::write_tls(std::span<const iovec> parts) {
  outgoing how;
  if (!send_held(how) || parts.empty())
    return how;
  how.size = tls_->send(parts);
  how.broken = how.size == 0;
  send_output();
  how.blocked = held_back() > 0;
  // The socket knows nothing of TLS's faults: thus whoever reads finds out, too.
  if (how.broken)
    ::shutdown(fd(), SHUT_RDWR);
  return how;
}

/// What the kernel doesn't take of TLS's output is held back. That the connection is broken is
/// found out by the next who writes or reads.
void transport::send_output() {
  auto bytes = tls_stream::output();
  if (bytes.empty())
    return;
  if (held_back() > 0) {
    hold(bytes);
    return;
  }
  auto how = put(fd(), bytes);
  sent_ += how.size;
  if (how.blocked)
    hold(bytes.subspan(how.size));
}

/// Behind what is held back already.
void transport::hold(std::span<const std::byte> bytes) {
  auto before = held_.bytes().subspan(held_sent_);
  chunk_builder all{before.size() + bytes.size()};
  all.append(before);
  all.append(bytes);
  held_ = all.seal();
  held_sent_ = 0;
}

/// Whether nothing is held back any more; `how` says why if something is.
bool transport::send_held(outgoing& how) {
  if (held_back() == 0)
    return true;
  auto put_now = put(fd(), held_.bytes().subspan(held_sent_));
  sent_ += put_now.size;
  held_sent_ += static_cast<uint32_t>(put_now.size);
  how.blocked = put_now.blocked;
  how.broken = put_now.broken;
  // If nobody will get it, it mustn't hold up reading either.
  if (held_back() > 0 && !how.broken)
    return false;
  held_ = {};
  held_sent_ = 0;
  return !how.broken;
}

bool transport::finish_writing() {
  if (tls_) {
    tls_->close();
    send_output();
    if (held_back() > 0)
      return false;
  }
  ::shutdown(fd(), SHUT_WR);
  return true;
}

void transport::keep_kernel_queue_short() noexcept {
  // A Unix-domain socket has no such option, and a short queue by itself.
  constexpr int most_unsent = 128 << 10;
  ::setsockopt(fd(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &most_unsent, sizeof most_unsent);
}

bool transport::progressed(size_t& waiting) noexcept {
  int queued = 0;
  ::ioctl(fd(), SIOCOUTQ, &queued);
  waiting = static_cast<size_t>(queued) + held_back();
  auto arrived = sent_ - static_cast<uint64_t>(queued);
  return arrived != std::exchange(arrived_, arrived);
}

} // namespace tandem::net
