/// beast_relay [PORT]: a relay as it is usually written with Boost.Beast, on one thread. PORT 0, or
/// none: any free port.
///
/// /client/{id} and /worker/{id} are a pair; what one sends is queued at the other and written
/// message by message.

#include <boost/asio/dispatch.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>

#include <charconv>
#include <cstdio>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;
using boost::system::error_code;
using tcp = asio::ip::tcp;

class side;

struct pair {
  std::weak_ptr<side> client;
  std::weak_ptr<side> worker;
};

using pair_map = std::unordered_map<std::string, std::shared_ptr<pair>>;

/// One connection. Its pending operations keep it.
class side : public std::enable_shared_from_this<side> {
public:
  side(tcp::socket socket, pair_map& pairs) : socket_{std::move(socket)}, pairs_{pairs} {
    socket_.next_layer().set_option(tcp::no_delay{true});
    socket_.set_option(websocket::stream_base::timeout::suggested(beast::role_type::server));
    socket_.read_message_max(size_t{1} << 30);
  }

  void start() {
    http::async_read(socket_.next_layer(), buffer_, request_,
                     [self = shared_from_this()](error_code ec, size_t) {
                       if (!ec && self->find_place())
                         self->accept();
                     });
  }

private:
  struct message {
    beast::flat_buffer bytes;
    bool text;
  };

  bool find_place() {
    const std::string path{request_.target()};
    is_client_ = path.starts_with("/client/");
    if (!is_client_ && !path.starts_with("/worker/"))
      return false;
    id_ = path.substr(std::string_view{"/client/"}.size());
    return !id_.empty();
  }

  void accept() {
    socket_.async_accept(request_, [self = shared_from_this()](error_code ec) {
      if (ec)
        return;
      self->request_ = {};
      self->buffer_ = {};
      auto& place = self->pairs_[self->id_];
      if (!place)
        place = std::make_shared<pair>();
      self->pair_ = place;
      (self->is_client_ ? place->client : place->worker) = self;
      self->read();
    });
  }

  void read() {
    socket_.async_read(buffer_, [self = shared_from_this()](error_code ec, size_t) {
      if (ec)
        return self->leave();
      if (auto peer = self->peer())
        peer->send({std::exchange(self->buffer_, {}), self->socket_.got_text()});
      else
        self->buffer_.clear();
      self->read();
    });
  }

  void send(message what) {
    queue_.push_back(std::move(what));
    if (queue_.size() == 1)
      write();
  }

  void write() {
    socket_.text(queue_.front().text);
    socket_.async_write(queue_.front().bytes.data(),
                        [self = shared_from_this()](error_code ec, size_t) {
                          if (ec)
                            return;
                          self->queue_.pop_front();
                          if (!self->queue_.empty())
                            self->write();
                          else if (self->closes_)
                            self->close();
                        });
  }

  std::shared_ptr<side> peer() const { return (is_client_ ? pair_->worker : pair_->client).lock(); }

  void leave() {
    if (auto other = peer()) {
      other->closes_ = true;
      if (other->queue_.empty())
        other->close();
    }
    pairs_.erase(id_);
  }

  void close() {
    socket_.async_close(websocket::close_code::normal, [self = shared_from_this()](error_code) {});
  }

  websocket::stream<tcp::socket> socket_;
  pair_map& pairs_;
  std::shared_ptr<pair> pair_;
  http::request<http::string_body> request_;
  beast::flat_buffer buffer_;
  std::deque<message> queue_;
  std::string id_;
  bool is_client_ = false;
  bool closes_ = false;
};

void accept_next(tcp::acceptor& acceptor, pair_map& pairs) {
  acceptor.async_accept([&](error_code ec, tcp::socket socket) {
    if (!ec)
      std::make_shared<side>(std::move(socket), pairs)->start();
    accept_next(acceptor, pairs);
  });
}

} // namespace

int main(int argc, char** argv) {
  uint16_t port = 0;
  if (argc > 1) {
    const std::string_view text{argv[1]};
    std::from_chars(text.data(), text.data() + text.size(), port);
  }
  asio::io_context io{1};
  tcp::acceptor acceptor{io, {asio::ip::make_address("127.0.0.1"), port}};
  acceptor.listen(4096);
  std::printf("listening 127.0.0.1:%d\n", acceptor.local_endpoint().port());
  std::fflush(stdout);
  pair_map pairs;
  accept_next(acceptor, pairs);
  io.run();
}
