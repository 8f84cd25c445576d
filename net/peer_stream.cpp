#include "net/peer_stream.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

namespace tandem::net {

namespace asio = boost::asio;

namespace {

constexpr auto use_tuple = asio::as_tuple(asio::use_awaitable);

} // namespace

peer_stream::peer_stream(stream_socket socket) : socket_{std::move(socket)} {
  error_code error;
  if (auto endpoint = socket_.remote_endpoint(error); !error)
    remote_ = to_string(endpoint);
  // A Unix-domain socket has no such delay, and says so.
  socket_.set_option(asio::ip::tcp::no_delay{true}, error);
}

asio::awaitable<size_t> peer_stream::read_some(std::span<char> buffer, error_code& error) {
  auto [failed, n] =
      co_await socket_.async_read_some(asio::buffer(buffer.data(), buffer.size()), use_tuple);
  error = failed;
  co_return n;
}

asio::awaitable<void> peer_stream::write(std::string_view bytes, error_code& error) {
  auto [failed, n] = co_await asio::async_write(socket_, asio::buffer(bytes), use_tuple);
  error = failed;
}

void peer_stream::finish_writing() noexcept {
  error_code ignored;
  socket_.shutdown(stream_socket::shutdown_send, ignored);
}

void peer_stream::cancel() noexcept {
  error_code ignored;
  socket_.cancel(ignored);
}

void peer_stream::close() noexcept {
  error_code ignored;
  socket_.close(ignored);
}

unique_fd peer_stream::release() {
  error_code ignored;
  socket_.native_non_blocking(true, ignored);
  return unique_fd{socket_.release(ignored)};
}

} // namespace tandem::net
