#include "net/handshake.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/beast/websocket.hpp>
#include <spdlog/spdlog.h>

#include <array>
#include <sstream>

namespace tandem::net {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;

namespace {

constexpr auto use_tuple = asio::as_tuple(asio::use_awaitable);
/// How long a refused peer may take to read why.
constexpr auto refusal_time = std::chrono::seconds{2};

std::string text_of(const tcp::endpoint& endpoint) {
  std::ostringstream out;
  out << endpoint;
  return out.str();
}

} // namespace

handshake::handshake(tcp::socket socket, front_state& state)
    : socket_{std::move(socket)}, state_{state}, deadline_{socket_.get_executor()},
      answered_{socket_.get_executor(), asio::steady_timer::time_point::max()},
      buffer_{size_t{2} * max_request_head} {}

asio::awaitable<void> handshake::run() {
  beast::error_code error;
  auto remote = socket_.remote_endpoint(error);
  if (error)
    co_return;
  who_.remote = text_of(remote);
  socket_.set_option(tcp::no_delay{true}, error);
  set_deadline(state_.options.handshake_timeout);

  auto fault = co_await read_request();
  if (fault.why == refusal::none)
    fault = identify();
  if (fault.why == refusal::none)
    fault = co_await ask_gatekeeper();
  if (fault.why == refusal::none)
    co_await upgrade();
  else if (socket_.is_open())
    co_await refuse(std::move(fault));
  deadline_.cancel();
}

/// When it passes, whatever the coroutine waits for ends with an error.
void handshake::set_deadline(std::chrono::milliseconds delay) {
  deadline_.expires_after(delay);
  deadline_.async_wait([self = shared_from_this()](beast::error_code error) {
    if (error)
      return;
    self->timed_out_ = true;
    self->answered_.cancel();
    beast::error_code ignored;
    self->socket_.cancel(ignored);
  });
}

asio::awaitable<route_fault> handshake::read_request() {
  upgrade_parser parser;
  parser.header_limit(max_request_head);
  auto [error, size] = co_await http::async_read_header(socket_, buffer_, parser, use_tuple);
  if (timed_out_)
    co_return route_fault{refusal::timed_out,
                          "the request's head didn't come within handshake-timeout"};
  if (error == http::error::end_of_stream ||
      (error && error.category() == asio::error::get_system_category())) {
    socket_.close(error);
    co_return route_fault{refusal::bad_request, {}};
  }
  if (error)
    co_return fault_of(error);
  if (parser.chunked() || parser.content_length().value_or(0) > 0)
    co_return route_fault{refusal::bad_request, "a request to upgrade has no body"};
  request_ = parser.release();
  co_return route_fault{refusal::none, {}};
}

route_fault handshake::identify() {
  auto judged = judge_request(request_, state_.options.where);
  if (auto* fault = std::get_if<route_fault>(&judged))
    return std::move(*fault);
  auto& match = std::get<route_match>(judged);
  who_.side = match.side;
  who_.key = std::move(match.key);
  return {refusal::none, {}};
}

asio::awaitable<route_fault> handshake::ask_gatekeeper() {
  if (state_.keeper == nullptr)
    co_return route_fault{refusal::draining, "the broker isn't ready"};
  who_.id = ++state_.last_ticket;
  state_.keeper->ask(who_, [weak = weak_from_this()](const verdict& answer) {
    if (auto self = weak.lock()) {
      self->verdict_ = answer;
      self->answered_.cancel();
    }
  });
  if (!verdict_)
    co_await answered_.async_wait(use_tuple);
  if (verdict_)
    co_return route_fault{verdict_->why, verdict_->detail};
  if (state_.keeper != nullptr)
    state_.keeper->withdraw(who_.id);
  co_return route_fault{refusal::broker_fault, "the broker didn't answer within handshake-timeout"};
}

asio::awaitable<void> handshake::upgrade() {
  auto failed = false;
  {
    beast::websocket::stream<tcp::socket&> stream{socket_};
    stream.set_option(
        beast::websocket::stream_base::decorator([](beast::websocket::response_type& response) {
          response.set(http::field::server, server_name);
        }));
    auto [error] = co_await stream.async_accept(request_, use_tuple);
    failed = static_cast<bool>(error);
  }
  if (state_.keeper == nullptr)
    co_return;
  if (failed)
    state_.keeper->withdraw(who_.id);
  else
    hand_over();
}

/// From here on the socket belongs to its network worker.
void handshake::hand_over() {
  auto early = beast::buffers_to_string(buffer_.data());
  auto& worker = state_.options.choose_home(who_.key);
  beast::error_code error;
  socket_.native_non_blocking(true, error);
  unique_fd fd{socket_.release(error)};
  state_.keeper->admit(std::move(who_), session::make(worker, std::move(fd), std::move(early),
                                                      state_.options.limits));
}

asio::awaitable<void> handshake::refuse(route_fault fault) {
  timed_out_ = false;
  set_deadline(refusal_time);
  const auto& row = describe(fault.why);
  spdlog::info("refused remote={} reason={} status={} detail=\"{}\"", who_.remote, row.name,
               row.status, fault.detail);
  auto response = make_refusal(fault);
  auto [error, size] = co_await http::async_write(socket_, response, use_tuple);
  if (error)
    co_return;
  socket_.shutdown(tcp::socket::shutdown_send, error);
  // Closing on unread bytes would reset the connection, and the answer could be lost.
  std::array<char, 4096> rest;
  while (!timed_out_) {
    auto [ended, n] = co_await socket_.async_read_some(asio::buffer(rest), use_tuple);
    if (ended)
      break;
  }
}

} // namespace tandem::net
