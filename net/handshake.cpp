#include "net/handshake.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/write.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <sstream>
#include <string>

namespace tandem::net {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;

namespace {

constexpr auto use_tuple = asio::as_tuple(asio::use_awaitable);

/// Read at once of a request's head, in bytes; most have less.
constexpr size_t head_step = 2048;

template <class Response>
std::string text_of(const Response& response) {
  std::ostringstream out;
  out << response;
  return out.str();
}

/// How long a refused peer may take to read why.
constexpr auto refusal_time = std::chrono::seconds{2};

} // namespace

handshake::handshake(stream_socket socket, const listen_address& via, front_state& state)
    : deadline_{socket.get_executor()}, answered_{socket.get_executor(),
                                                  asio::steady_timer::time_point::max()},
      stream_{std::move(socket)}, via_{via}, state_{state}, buffer_{size_t{2} * max_request_head} {}

asio::awaitable<void> handshake::run() {
  if (stream_.remote().empty())
    co_return;
  who_.remote = stream_.remote();
  set_deadline(state_.options.handshake_timeout);

  auto fault = co_await read_request();
  if (fault.why == refusal::none)
    fault = identify();
  if (fault.why == refusal::none)
    fault = co_await ask_gatekeeper();
  if (fault.why == refusal::none)
    co_await upgrade();
  else if (stream_.is_open())
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
    self->stream_.cancel();
  });
}

asio::awaitable<route_fault> handshake::read_request() {
  upgrade_parser parser;
  parser.header_limit(max_request_head);
  auto error = co_await read_head(parser);
  if (timed_out_)
    co_return route_fault{refusal::timed_out,
                          "the request's head didn't come within handshake-timeout"};
  if (error == http::error::end_of_stream ||
      (error && error.category() == asio::error::get_system_category())) {
    stream_.close();
    co_return route_fault{refusal::bad_request, {}};
  }
  if (error)
    co_return fault_of(error);
  if (parser.chunked() || parser.content_length().value_or(0) > 0)
    co_return route_fault{refusal::bad_request, "a request to upgrade has no body"};
  request_ = parser.release();
  co_return route_fault{refusal::none, {}};
}

/// What follows the head stays in the buffer.
asio::awaitable<beast::error_code> handshake::read_head(upgrade_parser& parser) {
  beast::error_code error;
  while (!parser.is_header_done()) {
    auto room = buffer_.prepare(std::min(head_step, buffer_.max_size() - buffer_.size()));
    if (room.size() == 0)
      co_return http::error::buffer_overflow;
    auto n = co_await stream_.read_some({static_cast<char*>(room.data()), room.size()}, error);
    if (error == asio::error::eof && parser.got_some())
      parser.put_eof(error);
    else if (error == asio::error::eof)
      error = http::error::end_of_stream;
    if (error)
      co_return error;
    buffer_.commit(n);
    buffer_.consume(parser.put(buffer_.data(), error));
    if (error && error != http::error::need_more)
      co_return error;
  }
  co_return beast::error_code{};
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
  deflate_answer deflate;
  if (auto offers = offered_extensions(request_); offers && via_.compression)
    deflate = choose_deflate(*offers, state_.options.deflate);
  who_.deflate = deflate.params;
  beast::error_code error;
  co_await stream_.write(text_of(make_acceptance(request_, deflate.header)), error);
  if (state_.keeper == nullptr)
    co_return;
  if (error)
    state_.keeper->withdraw(who_.id);
  else
    hand_over();
}

/// From here on the socket belongs to its network worker.
void handshake::hand_over() {
  auto early = beast::buffers_to_string(buffer_.data());
  auto& worker = state_.options.choose_home(who_.key);
  auto link = session::make(worker, stream_.release(), std::move(early), state_.options.limits,
                            {.deflate = who_.deflate.agreed});
  state_.keeper->admit(std::move(who_), std::move(link));
}

asio::awaitable<void> handshake::refuse(route_fault fault) {
  timed_out_ = false;
  set_deadline(refusal_time);
  const auto& row = describe(fault.why);
  spdlog::info("refused remote={} reason={} status={} detail=\"{}\"", who_.remote, row.name,
               row.status, fault.detail);
  beast::error_code error;
  co_await stream_.write(text_of(make_refusal(fault)), error);
  if (error)
    co_return;
  stream_.finish_writing();
  // Closing on unread bytes would reset the connection, and the answer could be lost.
  std::array<char, 4096> rest;
  while (!timed_out_ && !error)
    co_await stream_.read_some(rest, error);
}

} // namespace tandem::net
