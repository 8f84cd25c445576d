#include "net/peer_stream.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <utility>
#include <variant>

namespace tandem::net {

namespace asio = boost::asio;

namespace {

constexpr auto use_tuple = asio::as_tuple(asio::use_awaitable);

std::optional<ip_address> address_of(const stream_socket::endpoint_type& x) {
  const auto* raw = static_cast<const void*>(x.data());
  if (x.protocol().family() == AF_INET)
    return ip_address::v4(
        reinterpret_cast<const uint8_t*>(&static_cast<const sockaddr_in*>(raw)->sin_addr));
  if (x.protocol().family() == AF_INET6)
    return ip_address::v6(
        reinterpret_cast<const uint8_t*>(&static_cast<const sockaddr_in6*>(raw)->sin6_addr));
  return std::nullopt;
}

} // namespace

peer_stream::peer_stream(stream_socket socket) : socket_{std::move(socket)} {
  error_code error;
  if (auto endpoint = socket_.remote_endpoint(error); !error) {
    remote_ = to_string(endpoint);
    address_ = address_of(endpoint);
  }
  // A Unix-domain socket has no such delay, and says so.
  socket_.set_option(asio::ip::tcp::no_delay{true}, error);
  socket_.non_blocking(true, error);
}

/// It looks at what is there and then takes as much of it as belongs to the header, so that what
/// follows stays in the kernel for whoever reads next, be it TLS or HTTP.
asio::awaitable<proxy_header_result> peer_stream::read_proxy_header(error_code& error) {
  std::array<char, max_proxy_header> bytes;
  size_t taken = 0;
  for (;;) {
    auto room = asio::buffer(bytes) + taken;
    auto [failed, n] = co_await socket_.async_receive(room, stream_socket::message_peek, use_tuple);
    // Asio has no error for the end of the stream here.
    error = n == 0 && !failed ? error_code{asio::error::eof} : failed;
    if (error)
      co_return proxy_header_begun{};
    auto result = parse_proxy_header({bytes.data(), taken + n});
    if (std::holds_alternative<proxy_header_fault>(result))
      co_return result;
    const auto* header = std::get_if<proxy_header>(&result);
    const auto belongs = header != nullptr ? header->size - taken : n;
    // What was looked at is there, so this takes it at once.
    co_await asio::async_read(socket_, asio::buffer(room, belongs), use_tuple);
    taken += belongs;
    if (header != nullptr)
      co_return result;
  }
}

// -- reading and writing ------------------------------------------------------

asio::awaitable<void> peer_stream::wait(error_code& error) {
  error = {};
  if (!cancelled_) {
    auto [failed] = co_await socket_.async_wait(stream_socket::wait_read, use_tuple);
    error = failed;
  }
  // It may have come when what was waited for was there, and this hadn't gone on yet.
  if (std::exchange(cancelled_, false))
    error = asio::error::operation_aborted;
}

asio::awaitable<size_t> peer_stream::receive(std::span<char> buffer, error_code& error) {
  for (;;) {
    const auto n = socket_.read_some(asio::buffer(buffer.data(), buffer.size()), error);
    if (error != asio::error::would_block)
      co_return n;
    co_await wait(error);
    if (error)
      co_return 0;
  }
}

asio::awaitable<void> peer_stream::send(std::string_view bytes, error_code& error) {
  cancelled_ = false;
  auto [failed, n] = co_await asio::async_write(socket_, asio::buffer(bytes), use_tuple);
  error = failed;
}

asio::awaitable<size_t> peer_stream::read_some(std::span<char> buffer, error_code& error) {
  if (!tls_)
    co_return co_await receive(buffer, error);
  error = {};
  if (plain_.empty()) {
    const auto status = co_await decrypt(error);
    if (status != tls_stream::status::open && !error)
      error = asio::error::eof;
  }
  if (!plain_.empty())
    error = {};
  const auto n = plain_.copy(buffer.data(), buffer.size());
  plain_.erase(0, n);
  co_return n;
}

asio::awaitable<void> peer_stream::write(std::string_view bytes, error_code& error) {
  if (!tls_) {
    co_await send(bytes, error);
    co_return;
  }
  error = {};
  while (!bytes.empty() && !error) {
    const iovec part{const_cast<char*>(bytes.data()), bytes.size()};
    const auto n = tls_->send({&part, 1});
    if (n == 0)
      error = asio::error::broken_pipe;
    else
      co_await send_output(error);
    bytes.remove_prefix(n);
  }
}

asio::awaitable<void> peer_stream::finish_writing() {
  error_code ignored;
  if (tls_) {
    tls_->close();
    co_await send_output(ignored);
  }
  socket_.shutdown(stream_socket::shutdown_send, ignored);
}

// -- TLS ----------------------------------------------------------------------

asio::awaitable<bool> peer_stream::is_plain_http(error_code& error) {
  co_await wait(error);
  char first = 0;
  if (!error)
    socket_.receive(asio::buffer(&first, 1), stream_socket::message_peek, error);
  // A handshake begins with a record of type 22 (RFC 8446, section 5.1), a request with its method.
  co_return first >= 'A' && first <= 'Z';
}

asio::awaitable<peer_stream::tls_progress> peer_stream::shake_hands(std::string& fault) {
  error_code error;
  const auto status = co_await decrypt(error);
  fault = tls_->fault();
  if (error || status != tls_stream::status::open)
    co_return tls_progress::failed;
  co_return tls_->established() ? tls_progress::established : tls_progress::under_way;
}

/// Waits for ciphertext and takes in what is there. What is decrypted joins plain_; what TLS itself
/// answers is sent.
asio::awaitable<tls_stream::status> peer_stream::decrypt(error_code& error) {
  // Nothing is held while it waits: the buffers serve all streams of the thread in turn.
  static thread_local std::array<char, 4096> ciphertext;
  static thread_local std::array<std::byte, ciphertext.size() + tls_stream::held_plaintext> plain;
  const auto n = co_await receive(ciphertext, error);
  if (n == 0)
    co_return tls_stream::status::open;
  size_t size = 0;
  const auto result = tls_->receive(std::as_bytes(std::span{ciphertext}.first(n)), plain, size);
  plain_.append(reinterpret_cast<const char*>(plain.data()), size);
  co_await send_output(error);
  co_return result;
}

asio::awaitable<void> peer_stream::send_output(error_code& error) {
  const auto bytes = tls_stream::output();
  if (bytes.empty())
    co_return;
  // Other streams have their turn with the output while this is under way.
  const std::string mine{reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  co_await send(mine, error);
}

// -- the socket ---------------------------------------------------------------

void peer_stream::set_silence_limit(std::chrono::milliseconds limit) noexcept {
  // A Unix-domain socket has no such option, and no machine to lose.
  auto count = static_cast<unsigned>(limit.count());
  ::setsockopt(socket_.native_handle(), IPPROTO_TCP, TCP_USER_TIMEOUT, &count, sizeof count);
}

void peer_stream::cancel() noexcept {
  error_code ignored;
  cancelled_ = true;
  socket_.cancel(ignored);
}

void peer_stream::close() noexcept {
  error_code ignored;
  socket_.close(ignored);
}

transport peer_stream::release(std::string& early) {
  error_code ignored;
  socket_.native_non_blocking(true, ignored);
  early += plain_;
  return transport{unique_fd{socket_.release(ignored)}, std::move(tls_)};
}

} // namespace tandem::net
