// A peer on Boost.Beast's own WebSocket; see __init__.py.
#include <boost/algorithm/hex.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl.hpp>
// Asio is compiled apart from its headers, and tandem has no use for this part of it.
#include <boost/asio/ssl/impl/src.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <nlohmann/json.hpp>

#include <deque>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <type_traits>
#include <unistd.h>

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace ssl = asio::ssl;
namespace websocket = beast::websocket;
using asio::use_awaitable;
using asio::ip::tcp;
using nlohmann::json;

/// The longest message that it takes, in bytes.
constexpr size_t largest = size_t{64} << 20;

void say(const char* event, int id, json fields = json::object()) {
  fields["event"] = event;
  fields["id"] = id;
  std::cout << fields.dump() << std::endl;
}

bool is_text(const json& fields) {
  return fields.contains("text");
}

std::string decode(const json& fields) {
  return is_text(fields) ? fields.at("text").get<std::string>()
                         : boost::algorithm::unhex(fields.at("hex").get<std::string>());
}

struct address {
  std::string host;
  std::string port;
  std::string target;
};

bool is_secure(const std::string& url) {
  return url.rfind("wss:", 0) == 0;
}

/// Of a URL with host, port and path: `ws://127.0.0.1:8080/client/abc`.
address parse(const std::string& url) {
  auto host = url.find("://") + 3;
  auto port = url.find(':', host);
  auto path = url.find('/', host);
  if (port >= path || path == std::string::npos)
    throw std::invalid_argument{"this peer wants a URL with a port and a path, not " + url};
  return {url.substr(host, port - host), url.substr(port + 1, path - port - 1), url.substr(path)};
}

class peer {
public:
  virtual ~peer() = default;
  virtual void start() = 0;
  virtual void add(json operation) = 0;
};

/// One connection, over TCP or over TLS. Beast allows one write at a time, so operations queue for
/// a coroutine of their own beside the one that reads.
template <class Layer>
class connection final : public peer, public std::enable_shared_from_this<connection<Layer>> {
public:
  /// `tls` is null for TCP; `layer` is what the layer is made of.
  template <class... Ts>
  connection(int id, std::shared_ptr<ssl::context> tls, asio::io_context& io, Ts&... layer)
      : tls_{std::move(tls)}, socket_{io, layer...}, queued_{io}, id_{id} {
    queued_.expires_at(asio::steady_timer::time_point::max());
  }

  void start() override {
    asio::co_spawn(socket_.get_executor(), carry_out(this->shared_from_this()), asio::detached);
  }

  void add(json operation) override {
    operations_.push_back(std::move(operation));
    queued_.cancel();
  }

private:
  static asio::awaitable<void> carry_out(std::shared_ptr<connection> self) {
    for (;;) {
      while (self->operations_.empty()) {
        beast::error_code woken;
        co_await self->queued_.async_wait(asio::redirect_error(use_awaitable, woken));
      }
      auto operation = std::move(self->operations_.front());
      self->operations_.pop_front();
      try {
        co_await self->perform(operation);
      } catch (const std::exception& fault) {
        say("error", self->id_, {{"message", fault.what()}});
      }
    }
  }

  asio::awaitable<void> perform(const json& operation) {
    auto op = operation.at("op").get<std::string>();
    json whole = json::array();
    whole.push_back(operation);
    if (op == "open")
      co_await open(operation);
    else if (op == "send")
      co_await send(whole);
    else if (op == "fragments")
      co_await send(operation.at("parts"));
    else if (op == "ping")
      co_await ping(operation);
    else if (op == "close")
      co_await close(operation);
    else
      throw std::invalid_argument{"no such operation: " + op};
  }

  asio::awaitable<void> open(const json& operation) {
    auto where = parse(operation.at("url").get<std::string>());
    tcp::resolver resolver{socket_.get_executor()};
    auto found = co_await resolver.async_resolve(where.host, where.port, use_awaitable);
    co_await asio::async_connect(beast::get_lowest_layer(socket_), found, use_awaitable);
    beast::get_lowest_layer(socket_).set_option(tcp::no_delay{true});
    if constexpr (!std::is_same_v<Layer, tcp::socket>) {
      auto& layer = socket_.next_layer();
      // Names alone are sent (RFC 6066, section 3); an address is only compared.
      if (beast::error_code error; asio::ip::make_address(where.host, error), error)
        SSL_set_tlsext_host_name(layer.native_handle(), where.host.c_str());
      layer.set_verify_callback(ssl::host_name_verification{where.host});
      co_await layer.async_handshake(ssl::stream_base::client, use_awaitable);
    }
    websocket::permessage_deflate deflate;
    deflate.client_enable = operation.at("compress").get<bool>();
    socket_.set_option(deflate);
    socket_.read_message_max(largest);
    socket_.control_callback([id = id_](websocket::frame_type type, beast::string_view payload) {
      if (type == websocket::frame_type::pong)
        say("pong", id, {{"text", std::string{payload}}});
    });
    websocket::response_type response;
    co_await socket_.async_handshake(response, where.host + ':' + where.port, where.target,
                                     use_awaitable);
    auto agreed = response[beast::http::field::sec_websocket_extensions];
    say("open", id_,
        {{"compressed", agreed.find("permessage-deflate") != beast::string_view::npos}});
    asio::co_spawn(socket_.get_executor(), read(this->shared_from_this(), operation.at("echo")),
                   asio::detached);
  }

  static asio::awaitable<void> read(std::shared_ptr<connection> self, bool echo) {
    auto& socket = self->socket_;
    beast::error_code error;
    for (;;) {
      beast::flat_buffer buffer;
      co_await socket.async_read(buffer, asio::redirect_error(use_awaitable, error));
      if (error)
        break;
      auto payload = beast::buffers_to_string(buffer.data());
      json message;
      if (socket.got_text())
        message["text"] = payload;
      else
        message["hex"] = boost::algorithm::hex_lower(payload);
      say("message", self->id_, message);
      if (echo) {
        message["op"] = "send";
        self->add(message);
      }
    }
    // When this side began the closing handshake, its end is known there.
    if (!self->closing_)
      self->say_closed(error == websocket::error::closed);
  }

  /// Without a close frame there is no code of the other end's.
  void say_closed(bool with_frame) {
    const auto& how = socket_.reason();
    auto code = !with_frame ? 1006 : how.code == 0 ? 1005 : static_cast<int>(how.code);
    say("close", id_, {{"code", code}, {"reason", std::string{how.reason.c_str()}}});
  }

  asio::awaitable<void> send(const json& parts) {
    socket_.text(is_text(parts.at(0)));
    socket_.auto_fragment(false);
    for (size_t i = 0; i < parts.size(); ++i) {
      auto bytes = decode(parts[i]);
      co_await socket_.async_write_some(i + 1 == parts.size(), asio::buffer(bytes), use_awaitable);
    }
  }

  asio::awaitable<void> ping(const json& operation) {
    websocket::ping_data payload{operation.at("text").get<std::string>()};
    co_await socket_.async_ping(payload, use_awaitable);
  }

  asio::awaitable<void> close(const json& operation) {
    websocket::close_reason reason{operation.at("reason").get<std::string>()};
    reason.code = operation.at("code").get<uint16_t>();
    closing_ = true;
    beast::error_code error;
    co_await socket_.async_close(reason, asio::redirect_error(use_awaitable, error));
    say_closed(!error);
  }

  std::shared_ptr<ssl::context> tls_;
  websocket::stream<Layer> socket_;
  asio::steady_timer queued_;
  std::deque<json> operations_;
  int id_;
  bool closing_ = false;
};

std::shared_ptr<peer> make_peer(asio::io_context& io, const json& open) {
  const auto id = open.at("id").get<int>();
  if (!is_secure(open.at("url").get<std::string>()))
    return std::make_shared<connection<tcp::socket>>(id, nullptr, io);
  auto tls = std::make_shared<ssl::context>(ssl::context::tls_client);
  tls->set_verify_mode(ssl::verify_peer);
  tls->load_verify_file(open.at("ca").get<std::string>());
  return std::make_shared<connection<ssl::stream<tcp::socket>>>(id, tls, io, *tls);
}

asio::awaitable<void> serve(asio::io_context& io) {
  asio::posix::stream_descriptor input{io, ::dup(STDIN_FILENO)};
  std::map<int, std::shared_ptr<peer>> connections;
  say("ready", 0);
  std::string text;
  for (;;) {
    beast::error_code error;
    auto n = co_await asio::async_read_until(input, asio::dynamic_buffer(text), '\n',
                                             asio::redirect_error(use_awaitable, error));
    if (error)
      break;
    auto operation = json::parse(text.substr(0, n));
    text.erase(0, n);
    auto id = operation.at("id").get<int>();
    auto& one = connections[id];
    if (!one) {
      one = make_peer(io, operation);
      one->start();
    }
    one->add(std::move(operation));
  }
  io.stop();
}

} // namespace

int main() {
  std::ios::sync_with_stdio(false);
  asio::io_context io;
  asio::co_spawn(io, serve(io), asio::detached);
  io.run();
}
