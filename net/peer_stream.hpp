/// A peer's bytes while the front deals with them. For the front alone: this header brings in Asio.
#pragma once

#include "net/fd.hpp"
#include "net/ip_address.hpp"
#include "net/listener.hpp"
#include "net/proxy_header.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/system/error_code.hpp>

#include <chrono>
#include <optional>
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

  /// The other end's address; none for a Unix-domain socket.
  const std::optional<ip_address>& address() const noexcept { return address_; }

  /// Reads a PROXY header ahead of all else, and not a byte more. It is proxy_header_begun if the
  /// stream ended with an error before it was there.
  boost::asio::awaitable<proxy_header_result> read_proxy_header(error_code& error);

  /// Waits until something can be read. It takes little memory meanwhile.
  boost::asio::awaitable<void> wait(error_code& error);

  /// Reads what is there into `buffer`, at least a byte of it; returns how many bytes came. At the
  /// end of the stream the error is asio::error::eof. It fills `buffer` right before it returns, so
  /// the streams of a thread may share one.
  boost::asio::awaitable<size_t> read_some(std::span<char> buffer, error_code& error);

  /// Writes all of `bytes`.
  boost::asio::awaitable<void> write(std::string_view bytes, error_code& error);

  /// Has TCP end the connection once the other end acknowledged nothing for so long, as when its
  /// machine or the way to it is gone.
  void set_silence_limit(std::chrono::milliseconds limit) noexcept;

  /// Nothing more will be written.
  void finish_writing() noexcept;

  /// Ends what is waited for with an error, or what is waited for next, unless that is a write.
  void cancel() noexcept;

  void close() noexcept;

  bool is_open() const noexcept { return socket_.is_open(); }

  /// Gives the socket up, set non-blocking.
  unique_fd release();

private:
  stream_socket socket_;
  std::string remote_;
  std::optional<ip_address> address_;
  bool cancelled_ = false;
};

} // namespace tandem::net
