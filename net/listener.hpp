/// One place where peers connect. For the front alone: this header brings in Asio.
#pragma once

#include "net/front.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>

#include <functional>
#include <string>

namespace tandem::net {

/// A peer's socket, be it TCP or Unix-domain.
using stream_socket = boost::asio::generic::stream_protocol::socket;

/// "127.0.0.1:8080", "[::1]:8080" or "unix:/run/tandem.sock"; "unix" for a socket without a path,
/// which is what connects to one.
std::string to_string(const boost::asio::generic::stream_protocol::endpoint& x);

std::string to_string(const listen_address& x);

/// A listening socket. The front's thread alone, but for its construction.
class listener {
public:
  /// Binds and listens at `where`, which outlives it. Throws boost::system::system_error.
  listener(boost::asio::io_context& context, const listen_address& where);
  listener(const listener&) = delete;
  ~listener() { close(); }

  /// Gives every peer that connects to `serve`, until it is closed. Out of descriptors or memory,
  /// it waits a moment instead of asking again and again.
  boost::asio::awaitable<void> accept(std::function<void(stream_socket)> serve);

  /// Stops listening, and removes the file of a Unix-domain socket.
  void close() noexcept;

  /// As to_string has it, with the real port.
  std::string name() const;

  const listen_address& where() const noexcept { return where_; }

private:
  void bind();

  const listen_address& where_;

  boost::asio::basic_socket_acceptor<boost::asio::generic::stream_protocol> acceptor_;
  /// The file of a Unix-domain socket; empty for none.
  std::string path_;
};

} // namespace tandem::net
