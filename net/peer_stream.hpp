/// A peer's bytes while the front deals with them. For the front alone: this header brings in Asio.
#pragma once

#include "net/fd.hpp"
#include "net/listener.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/system/error_code.hpp>

#include <span>
#include <string>
#include <string_view>

namespace tandem::net {

/// What the handshake reads from and writes to, whatever kind of socket is below. The front's
/// thread alone; one read or write at a time.
class peer_stream {
public:
  using error_code = boost::system::error_code;

  explicit peer_stream(stream_socket socket);

  /// The other end: "address:port", or "unix"; empty if it is gone already.
  const std::string& remote() const noexcept { return remote_; }

  /// Reads what is there into `buffer`, at least a byte of it; returns how many bytes came. At the
  /// end of the stream the error is asio::error::eof.
  boost::asio::awaitable<size_t> read_some(std::span<char> buffer, error_code& error);

  /// Writes all of `bytes`.
  boost::asio::awaitable<void> write(std::string_view bytes, error_code& error);

  /// Nothing more will be written.
  void finish_writing() noexcept;

  /// Ends what is waited for with an error.
  void cancel() noexcept;

  void close() noexcept;

  bool is_open() const noexcept { return socket_.is_open(); }

  /// Gives the socket up, set non-blocking.
  unique_fd release();

private:
  stream_socket socket_;
  std::string remote_;
};

} // namespace tandem::net
