/// One peer's way from TCP to a WebSocket. For the front alone: this header brings in Asio.
#pragma once

#include "net/front.hpp"
#include "net/peer_stream.hpp"
#include "net/turnstile.hpp"
#include "net/upgrade.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>

#include <list>
#include <memory>
#include <optional>

namespace tandem::net {

class handshake;

/// What all handshakes of a front share. The front's thread alone, but for the counts.
struct front_state {
  explicit front_state(front_options wanted);

  front_options options;
  std::shared_ptr<turnstile> door;
  refusal_counts refusals;
  gatekeeper* keeper = nullptr;
  size_t under_way = 0;
  /// Handshakes that wait for their peer, the one that has waited longest first.
  std::list<handshake*> waiting{};
  /// Refusals that are logged for everybody to see; a flood of them mustn't flood the log.
  token_bucket logged{};
};

/// Reads one request, asks the gatekeeper, answers with an upgrade or a refusal, and hands the
/// socket over.
class handshake : public std::enable_shared_from_this<handshake> {
public:
  /// `via` is the listener that the peer came by. It and `state` outlive this.
  handshake(stream_socket socket, const listen_address& via, front_state& state);
  ~handshake();

  /// The whole way. The caller keeps this alive until it is done.
  boost::asio::awaitable<void> run();

private:
  /// Why it doesn't go on.
  enum class stop : uint8_t { none, timed_out, crowded_out };

  boost::asio::awaitable<route_fault> meet();
  boost::asio::awaitable<route_fault> secure();
  boost::asio::awaitable<route_fault> read_request();
  boost::asio::awaitable<std::optional<route_fault>> read_head(upgrade_parser& parser);
  route_fault identify();
  void ask_for_forwarded_client();
  route_fault arrive();
  route_fault enter();
  boost::asio::awaitable<route_fault> ask_gatekeeper();
  boost::asio::awaitable<void> upgrade();
  boost::asio::awaitable<void> refuse(route_fault why);
  std::string answer_to(const route_fault& fault) const;
  /// Once it is known which one it is.
  const route& where() const { return state_.options.routes[who_.route]; }
  void log(const route_fault& fault);
  void hand_over();

  void begin_waiting();
  void end_waiting() noexcept;
  void give_up(stop why);
  route_fault fault_of_stop() const;
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
  claim asked_;
  /// Whose connection it is; none if that isn't known.
  std::optional<ip_address> client_;
  turnstile::place place_;
  std::optional<verdict> verdict_;
  std::optional<std::list<handshake*>::iterator> waits_;
  stop stopped_ = stop::none;
  bool arrived_ = false;
  /// An answer in HTTP would be understood.
  bool can_answer_ = true;
};

} // namespace tandem::net
