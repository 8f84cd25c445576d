/// A peer's bytes while the front deals with them. For the front alone: this header brings in Asio.
#pragma once

#include "net/ip_address.hpp"
#include "net/listener.hpp"
#include "net/proxy_header.hpp"
#include "net/tls_stream.hpp"
#include "net/transport.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/system/error_code.hpp>

#include <chrono>
#include <memory>
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

  /// Whether the other end begins with a request in clear, where it should with TLS.
  boost::asio::awaitable<bool> is_plain_http(error_code& error);

  /// All that follows goes over `tls`.
  void begin_tls(std::unique_ptr<tls_stream> tls) { tls_ = std::move(tls); }

  enum class tls_progress : uint8_t { under_way, established, failed };

  /// Takes TLS's handshake a step further. `fault` becomes what went wrong, if the other end is
  /// still there.
  boost::asio::awaitable<tls_progress> shake_hands(std::string& fault);

  /// The subject of the other end's certificate; empty for none.
  std::string subject() const { return tls_ ? tls_->subject() : std::string{}; }

  /// Reads what is there into `buffer`; returns how many bytes came, which over TLS may be none. At
  /// the end of the stream the error is asio::error::eof. It fills `buffer` right before it
  /// returns, so the streams of a thread may share one.
  boost::asio::awaitable<size_t> read_some(std::span<char> buffer, error_code& error);

  /// Writes all of `bytes`.
  boost::asio::awaitable<void> write(std::string_view bytes, error_code& error);

  /// Has TCP end the connection once the other end acknowledged nothing for so long, as when its
  /// machine or the way to it is gone.
  void set_silence_limit(std::chrono::milliseconds limit) noexcept;

  /// Nothing more will be written.
  boost::asio::awaitable<void> finish_writing();

  /// Ends what is waited for with an error, or what is waited for next, unless that is a write.
  void cancel() noexcept;

  void close() noexcept;

  bool is_open() const noexcept { return socket_.is_open(); }

  /// Gives the socket up. What it read ahead of what it was asked for is appended to `early`.
  transport release(std::string& early);

private:
  boost::asio::awaitable<size_t> receive(std::span<char> buffer, error_code& error);
  boost::asio::awaitable<void> send(std::string_view bytes, error_code& error);
  boost::asio::awaitable<tls_stream::status> decrypt(error_code& error);
  boost::asio::awaitable<void> send_output(error_code& error);

  stream_socket socket_;
  std::string remote_;
  std::optional<ip_address> address_;
  bool cancelled_ = false;
  std::unique_ptr<tls_stream> tls_;
  /// Decrypted, and not asked for yet.
  std::string plain_;
};

} // namespace tandem::net
