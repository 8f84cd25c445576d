/// One peer's way from TCP to a WebSocket. For the front alone: this header brings in Asio.
#pragma once

#include "net/front.hpp"
#include "net/peer_stream.hpp"
#include "net/upgrade.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>

#include <memory>
#include <optional>

namespace tandem::net {

/// What all handshakes of a front share. The front's thread alone.
struct front_state {
  front_options options;
  gatekeeper* keeper = nullptr;
  uint64_t last_ticket = 0;
};

/// Reads one request, asks the gatekeeper, answers with an upgrade or a refusal, and hands the
/// socket over.
class handshake : public std::enable_shared_from_this<handshake> {
public:
  /// `via` is the listener that the peer came by. It and `state` outlive this.
  handshake(stream_socket socket, const listen_address& via, front_state& state);

  /// The whole way. The caller keeps this alive until it is done.
  boost::asio::awaitable<void> run();

private:
  boost::asio::awaitable<route_fault> read_request();
  boost::asio::awaitable<boost::system::error_code> read_head(upgrade_parser& parser);
  route_fault identify();
  boost::asio::awaitable<route_fault> ask_gatekeeper();
  boost::asio::awaitable<void> upgrade();
  boost::asio::awaitable<void> refuse(route_fault why);
  void hand_over();
  void set_deadline(std::chrono::milliseconds delay);

  boost::asio::steady_timer deadline_;
  /// Cancelled when the gatekeeper's answer is there.
  boost::asio::steady_timer answered_;
  peer_stream stream_;
  const listen_address& via_;
  front_state& state_;
  boost::beast::flat_buffer buffer_;
  upgrade_request request_;
  peer_info who_;
  std::optional<verdict> verdict_;
  bool timed_out_ = false;
};

} // namespace tandem::net
