#include "net/handshake.hpp"

#include "actors/id.hpp"
#include "net/envelope.hpp"
#include "net/forwarded_for.hpp"
#include "net/head_check.hpp"
#include "net/help_page.hpp"
#include "net/introduction.hpp"

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
#include <utility>

namespace tandem::net {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;

namespace {

constexpr auto use_tuple = asio::as_tuple(asio::use_awaitable);

/// What handshakes read into, all of them: streams fill it right before they return.
std::span<char> scratch() {
  static thread_local std::array<char, 4096> bytes;
  return bytes;
}

/// How long a refused peer may take to read why.
constexpr auto refusal_time = std::chrono::seconds{2};

/// Refusals that are logged at info level.
constexpr rate logged_refusals{100, std::chrono::seconds{1}};

template <class Response>
std::string text_of(const Response& response) {
  std::ostringstream out;
  out << response;
  return out.str();
}

std::vector<size_t> caps_of(const std::vector<listen_address>& listeners) {
  std::vector<size_t> caps;
  caps.reserve(listeners.size());
  for (const auto& listener : listeners)
    caps.push_back(listener.max_connections);
  return caps;
}

} // namespace

front_state::front_state(front_options wanted)
    : options{std::move(wanted)}, door{std::make_shared<turnstile>(options.door,
                                                                   caps_of(options.listen))} {}

handshake::handshake(stream_socket socket, const listen_address& via, front_state& state)
    : deadline_{socket.get_executor()}, answered_{socket.get_executor(),
                                                  asio::steady_timer::time_point::max()},
      stream_{std::move(socket)}, via_{via}, state_{state}, buffer_{size_t{2} * max_request_head} {
  ++state_.under_way;
}

handshake::~handshake() {
  end_waiting();
  --state_.under_way;
}

asio::awaitable<void> handshake::run() {
  if (stream_.remote().empty())
    co_return;
  who_.remote = stream_.remote();
  client_ = stream_.address();
  set_deadline(state_.options.handshake_timeout);

  begin_waiting();
  can_answer_ = !via_.tls;
  auto fault = co_await meet();
  // Who says nothing mustn't cost what reading takes. An error comes up again at the first read.
  beast::error_code ignored;
  if (fault.why == refusal::none)
    co_await stream_.wait(ignored);
  if (fault.why == refusal::none && stopped_ != stop::none)
    fault = fault_of_stop();
  if (fault.why == refusal::none && via_.tls)
    fault = co_await secure();
  if (fault.why == refusal::none)
    fault = co_await read_request();
  end_waiting();
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

// -- waiting for the peer -----------------------------------------------------

/// Joins those who wait. If that makes too many, the one that has waited longest has to go: slow
/// peers can't keep out those who are done in a moment.
void handshake::begin_waiting() {
  auto& waiting = state_.waiting;
  waits_ = waiting.insert(waiting.end(), this);
  if (auto most = state_.options.max_handshakes; most != 0 && waiting.size() > most)
    waiting.front()->give_up(stop::crowded_out);
}

void handshake::end_waiting() noexcept {
  if (auto at = std::exchange(waits_, std::nullopt))
    state_.waiting.erase(*at);
}

/// Whatever the coroutine waits for ends with an error.
void handshake::give_up(stop why) {
  end_waiting();
  stopped_ = why;
  answered_.cancel();
  stream_.cancel();
}

route_fault handshake::fault_of_stop() const {
  if (stopped_ == stop::crowded_out)
    return {refusal::overloaded, "too many handshakes are under way, and this one was the slowest"};
  return {refusal::timed_out, "the request's head didn't come within handshake-timeout"};
}

void handshake::set_deadline(std::chrono::milliseconds delay) {
  deadline_.expires_after(delay);
  deadline_.async_wait([self = shared_from_this()](beast::error_code error) {
    if (!error)
      self->give_up(stop::timed_out);
  });
}

// -- who it is ----------------------------------------------------------------

/// Finds out whose connection it is, as far as that can be told ahead of the request.
asio::awaitable<route_fault> handshake::meet() {
  const auto& trusted = state_.options.trusted;
  if (via_.proxy_protocol) {
    if (!trusted.contain(client_))
      co_return route_fault{refusal::untrusted_proxy, "it isn't among trusted-proxies"};
    beast::error_code error;
    auto result = co_await stream_.read_proxy_header(error);
    if (const auto* fault = std::get_if<proxy_header_fault>(&result))
      co_return route_fault{refusal::bad_proxy_header, std::string{fault->detail}};
    if (error || stopped_ != stop::none)
      co_return route_fault{refusal::bad_proxy_header, "the PROXY header didn't come in time"};
    if (const auto& header = std::get<proxy_header>(result); header.source) {
      client_ = header.source;
      who_.remote = to_string(*client_, header.port);
    }
  }
  // Whom a trusted proxy stands for may be in its request.
  if (trusted.contain(client_))
    co_return route_fault{refusal::none, {}};
  co_return arrive();
}

/// TLS's handshake. Refusals ahead of it are silent: an answer in clear would mean nothing to the
/// peer, and a crowd that is kept out shouldn't cost handshakes.
asio::awaitable<route_fault> handshake::secure() {
  using progress = peer_stream::tls_progress;
  beast::error_code error;
  if (co_await stream_.is_plain_http(error)) {
    can_answer_ = true;
    co_return route_fault{refusal::bad_request,
                          "this listener takes TLS only: use wss:// or https://"};
  }
  // It chooses the certificate, and may be replaced meanwhile.
  const auto context = state_.options.tls;
  stream_.begin_tls(context->accept(via_.client_certificates));
  auto reached = error ? progress::failed : progress::under_way;
  std::string fault;
  while (reached == progress::under_way && stopped_ == stop::none)
    reached = co_await stream_.shake_hands(fault);
  if (stopped_ != stop::none)
    co_return fault_of_stop();
  if (reached == progress::failed)
    co_return route_fault{refusal::tls_failed,
                          fault.empty() ? "it left in the midst of TLS's handshake" : fault};
  can_answer_ = true;
  who_.subject = stream_.subject();
  co_return route_fault{refusal::none, {}};
}

void handshake::ask_for_forwarded_client() {
  const auto& trusted = state_.options.trusted;
  if (arrived_ || !trusted.contain(client_))
    return;
  if (auto found = forwarded_client(joined(request_, "X-Forwarded-For"), trusted)) {
    client_ = found;
    who_.remote = to_string(*found);
  }
}

route_fault handshake::arrive() {
  if (std::exchange(arrived_, true))
    return {refusal::none, {}};
  if (auto fault = state_.door->arrive(client_, turnstile::clock::now()))
    return {fault->why, std::move(fault->detail)};
  return {refusal::none, {}};
}

// -- the request --------------------------------------------------------------

asio::awaitable<route_fault> handshake::read_request() {
  upgrade_parser parser;
  parser.header_limit(max_request_head);
  if (auto fault = co_await read_head(parser))
    co_return std::move(*fault);
  request_ = parser.release();
  co_return route_fault{refusal::none, {}};
}

/// Reads up to the end of the head; what follows it stays in the buffer. What is wrong, if anything
/// is; the stream is closed if nobody is there to be told.
asio::awaitable<std::optional<route_fault>> handshake::read_head(upgrade_parser& parser) {
  head_check check;
  while (!parser.is_header_done()) {
    beast::error_code error;
    auto n = co_await stream_.read_some(scratch(), error);
    if (stopped_ != stop::none)
      co_return fault_of_stop();
    if (error == asio::error::eof && parser.got_some())
      co_return fault_of(http::error::partial_message);
    if (error) {
      stream_.close();
      co_return route_fault{refusal::bad_request, {}};
    }
    const auto bytes = scratch().first(n);
    if (auto fault = check.feed({bytes.data(), n}))
      co_return fault;
    if (n > buffer_.max_size() - buffer_.size())
      co_return fault_of(http::error::buffer_overflow);
    std::copy(bytes.begin(), bytes.end(), static_cast<char*>(buffer_.prepare(n).data()));
    buffer_.commit(n);
    buffer_.consume(parser.put(buffer_.data(), error));
    if (error && error != http::error::need_more)
      co_return fault_of(error);
  }
  co_return std::nullopt;
}

/// Whether it may come in, as far as the front can tell.
route_fault handshake::identify() {
  ask_for_forwarded_client();
  if (auto fault = arrive(); fault.why != refusal::none)
    return fault;
  auto judged = judge_request(request_, state_.options.routes);
  if (auto* fault = std::get_if<route_fault>(&judged))
    return std::move(*fault);
  const auto& match = std::get<route_match>(judged);
  if (auto fault = introduce(request_, match, state_.options.routes[match.route], who_, asked_))
    return std::move(*fault);
  return enter();
}

route_fault handshake::enter() {
  const auto most = state_.options.max_buffered_bytes;
  if (most != 0 && buffered_bytes() > most)
    return {refusal::overloaded, "the broker holds too many bytes"};
  const auto listener = static_cast<size_t>(&via_ - state_.options.listen.data());
  if (auto fault = state_.door->enter(listener, client_, place_))
    return {fault->why, std::move(fault->detail)};
  return {refusal::none, {}};
}

asio::awaitable<route_fault> handshake::ask_gatekeeper() {
  if (state_.keeper == nullptr)
    co_return route_fault{refusal::draining, "the broker isn't ready"};
  who_.id = next_id();
  asked_.ticket = who_.id;
  state_.keeper->ask(std::move(asked_), [weak = weak_from_this()](const verdict& answer) {
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

// -- the answer ---------------------------------------------------------------

asio::awaitable<void> handshake::upgrade() {
  deflate_answer deflate;
  const bool may_compress =
      where().compression.value_or(via_.compression) && who_.frames == framing::raw;
  if (auto offers = offered_extensions(request_); offers && may_compress)
    deflate = choose_deflate(*offers, where().deflate);
  who_.deflate = deflate.params;
  if (who_.frames == framing::raw)
    who_.subprotocol = verdict_->subprotocol;
  const auto answer = text_of(make_acceptance(request_, deflate.header, who_.subprotocol));
  beast::error_code error;
  co_await stream_.write(answer, error);
  if (state_.keeper == nullptr)
    co_return;
  if (error)
    state_.keeper->withdraw(who_.id);
  else
    hand_over();
}

/// From here on the socket belongs to its network worker.
void handshake::hand_over() {
  const auto& limits = *where().limits;
  // Somewhat longer, so that one who merely doesn't read is ended as stalled, with a word.
  stream_.set_silence_limit(limits.stall_timeout * 5 / 4 + std::chrono::seconds{1});
  auto early = beast::buffers_to_string(buffer_.data());
  auto& worker = state_.options.choose_home(who_, *verdict_);
  auto socket = stream_.release(early);
  const decoder_extensions agreed{.deflate = who_.deflate.agreed,
                                  .overhead =
                                      most_overhead(who_.frames, limits.decoder.max_message)};
  auto link =
      session::make(worker, std::move(socket), std::move(early), limits, agreed, std::move(place_));
  state_.keeper->admit(std::move(who_), std::move(link));
}

asio::awaitable<void> handshake::refuse(route_fault fault) {
  log(fault);
  state_.refusals.add(fault.why);
  place_ = {};
  if (describe(fault.why).status == 0 || !can_answer_)
    co_return stream_.close();
  const bool crowded_out = std::exchange(stopped_, stop::none) == stop::crowded_out;
  set_deadline(refusal_time);
  const auto answer = answer_to(fault);
  beast::error_code error;
  co_await stream_.write(answer, error);
  if (error || crowded_out)
    co_return;
  co_await stream_.finish_writing();
  // Closing on unread bytes would reset the connection, and the answer could be lost.
  begin_waiting();
  while (stopped_ == stop::none && !error)
    co_await stream_.read_some(scratch(), error);
}

std::string handshake::answer_to(const route_fault& fault) const {
  if (fault.why == refusal::not_a_websocket && wants_html(request_))
    return text_of(make_help_page(state_.options.routes));
  return text_of(make_refusal(fault));
}

void handshake::log(const route_fault& fault) {
  const auto& row = describe(fault.why);
  const bool shown = state_.logged.take(logged_refusals, token_bucket::clock::now());
  spdlog::log(shown ? spdlog::level::info : spdlog::level::debug,
              "refused remote={} reason={} status={} detail=\"{}\"", who_.remote, row.name,
              row.status, fault.detail);
}

} // namespace tandem::net
