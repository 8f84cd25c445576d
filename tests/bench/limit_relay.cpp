/// limit_relay PORT: the least that a WebSocket relay can do, as the yardstick for relays that do
/// more.
///
/// One thread, one level-triggered epoll set, one recv and one send per read: all frames of a read
/// leave together. No actors, no limits, no heartbeats, no deadlines, no check of what it carries.
/// Pings, pongs and closes are carried to the other side like messages. What it does do, it does
/// right: pieces of frames, and slow readers.

#include "net/frame.hpp"
#include "tests/bench/load/handshake.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <unordered_map>
#include <vector>

namespace {

namespace net = tandem::net;

constexpr size_t read_size = size_t{256} * 1024;
constexpr size_t longest_request = size_t{8} * 1024;

/// One side of a pair.
struct peer {
  int fd = -1;
  bool is_client = false;
  std::string id;
  peer* other = nullptr;
  bool is_waiting = false;
  uint32_t watched = EPOLLIN;
  /// Of the frame that is coming in: an unfinished head, then what is left of the payload, and its
  /// mask.
  std::array<std::byte, net::max_head_size> head{};
  size_t head_size = 0;
  uint64_t left = 0;
  net::mask_key mask{};
  size_t mask_phase = 0;
  /// What this side's socket had no room for. As long as there is any, the other side isn't read.
  std::vector<std::byte> unsent;
};

struct request {
  bool is_client;
  std::string id;
  std::string key;
};

/// Reads `GET /client/{id}` or `GET /worker/{id}` and the key; nothing if it is anything else.
std::optional<request> parse_request(std::string_view text) {
  auto between = [&](std::string_view from, std::string_view until) -> std::string {
    auto begin = text.find(from);
    if (begin == std::string_view::npos)
      return {};
    begin += from.size();
    return std::string{text.substr(begin, text.find(until, begin) - begin)};
  };
  auto client = between("GET /client/", " ");
  auto worker = between("GET /worker/", " ");
  auto key = between("\r\nSec-WebSocket-Key: ", "\r\n");
  if (client.empty() == worker.empty() || key.empty())
    return std::nullopt;
  return request{!client.empty(), client.empty() ? worker : client, key};
}

class relay {
public:
  /// Listens on `port` of 127.0.0.1, or on a free one if it is 0. Exits the process if it can't.
  explicit relay(uint16_t port);

  uint16_t port() const;
  [[noreturn]] void run();

private:
  void handle(const epoll_event& event);
  void accept_all();
  void shake_hands(peer& who);
  void match(peer& who);
  void forward(peer& from);
  size_t rewrite(peer& from, std::span<const std::byte> in);
  bool read_head(peer& from, std::span<const std::byte>& in, size_t& written);
  void send_unsent(peer& to);
  void watch(peer& who, uint32_t events);
  void close_both(peer& who);
  void close_one(peer& who);

  int listener_;
  int epoll_;
  std::unordered_map<int, std::unique_ptr<peer>> peers_;
  /// Those whose other side hasn't come, by role and id.
  std::array<std::unordered_map<std::string, peer*>, 2> waiting_;
  /// Closed in this turn, of which epoll may still have events.
  std::vector<std::unique_ptr<peer>> closed_;
  std::vector<std::byte> in_;
  std::vector<std::byte> out_;
};

int checked(int result, const char* what) {
  if (result < 0) {
    std::perror(what);
    std::exit(1);
  }
  return result;
}

relay::relay(uint16_t port)
    : listener_(checked(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket")),
      epoll_(checked(epoll_create1(EPOLL_CLOEXEC), "epoll_create1")), in_(read_size),
      // A head loses its mask, so frames never grow; but an earlier read may have left most of a
      // head behind.
      out_(read_size + net::max_head_size) {
  int on = 1;
  setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  checked(bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address), "bind");
  checked(listen(listener_, SOMAXCONN), "listen");
  epoll_event event{.events = EPOLLIN, .data = {.ptr = nullptr}};
  checked(epoll_ctl(epoll_, EPOLL_CTL_ADD, listener_, &event), "epoll_ctl");
}

uint16_t relay::port() const {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

void relay::run() {
  std::array<epoll_event, 512> events;
  for (;;) {
    auto n = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < n; ++i)
      handle(events[static_cast<size_t>(i)]);
    closed_.clear();
  }
}

void relay::handle(const epoll_event& event) {
  if (event.data.ptr == nullptr)
    return accept_all();
  auto& who = *static_cast<peer*>(event.data.ptr);
  if (who.fd < 0)
    return;
  if ((event.events & EPOLLOUT) != 0)
    send_unsent(who);
  if (who.fd >= 0 && (event.events & EPOLLIN) != 0)
    return who.other != nullptr ? forward(who) : shake_hands(who);
  if (who.fd >= 0 && (event.events & (EPOLLERR | EPOLLHUP | EPOLLRDHUP)) != 0)
    close_both(who);
}

void relay::accept_all() {
  for (;;) {
    auto fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
      return;
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    auto who = std::make_unique<peer>();
    who->fd = fd;
    epoll_event event{.events = who->watched, .data = {.ptr = who.get()}};
    checked(epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
    peers_.emplace(fd, std::move(who));
  }
}

/// Takes the request off the socket, and no byte more: frames that follow it stay there until there
/// is somebody to send them to.
void relay::shake_hands(peer& who) {
  std::array<char, longest_request> room;
  auto n = recv(who.fd, room.data(), room.size(), MSG_PEEK);
  if (n <= 0)
    return close_both(who);
  std::string_view text{room.data(), static_cast<size_t>(n)};
  auto end = text.find("\r\n\r\n");
  if (end == std::string_view::npos)
    return text.size() == room.size() ? close_both(who) : void();
  auto asked = parse_request(text.substr(0, end + 2));
  recv(who.fd, room.data(), end + 4, 0);
  std::string answer = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
  if (asked && waiting_[asked->is_client].contains(asked->id))
    answer = "HTTP/1.1 409 Conflict\r\nContent-Length: 0\r\n\r\n";
  else if (asked)
    answer = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
             "Sec-WebSocket-Accept: " +
             tandem::bench::accept_key(asked->key) + "\r\n\r\n";
  auto refused = !answer.starts_with("HTTP/1.1 101");
  // A fresh socket has room for so little.
  if (send(who.fd, answer.data(), answer.size(), MSG_NOSIGNAL) < 0 || refused)
    return close_both(who);
  who.is_client = asked->is_client;
  who.id = asked->id;
  match(who);
}

void relay::match(peer& who) {
  auto& others = waiting_[!who.is_client];
  auto found = others.find(who.id);
  if (found == others.end()) {
    waiting_[who.is_client].emplace(who.id, &who);
    who.is_waiting = true;
    return watch(who, EPOLLRDHUP);
  }
  who.other = found->second;
  who.other->other = &who;
  who.other->is_waiting = false;
  others.erase(found);
  watch(*who.other, EPOLLIN);
}

void relay::forward(peer& from) {
  auto n = recv(from.fd, in_.data(), in_.size(), 0);
  if (n <= 0)
    return n == 0 || errno != EAGAIN ? close_both(from) : void();
  auto size = rewrite(from, std::span{in_}.first(static_cast<size_t>(n)));
  if (size == 0)
    return;
  auto& to = *from.other;
  auto sent = send(to.fd, out_.data(), size, MSG_NOSIGNAL);
  if (sent < 0 && errno != EAGAIN)
    return close_both(from);
  auto done = static_cast<size_t>(std::max<ssize_t>(sent, 0));
  if (done == size)
    return;
  to.unsent.assign(out_.data() + done, out_.data() + size);
  watch(to, to.watched | EPOLLOUT);
  watch(from, from.watched & ~uint32_t{EPOLLIN});
}

/// Writes the frames in `in` to `out_`, unmasked, and returns their size. Frames may begin and end
/// anywhere.
size_t relay::rewrite(peer& from, std::span<const std::byte> in) {
  size_t written = 0;
  while (!in.empty()) {
    if (from.left == 0 && !read_head(from, in, written))
      break;
    auto n = static_cast<size_t>(std::min<uint64_t>(from.left, in.size()));
    net::apply_mask(in.data(), out_.data() + written, n, from.mask, from.mask_phase);
    from.mask_phase = (from.mask_phase + n) % 4;
    from.left -= n;
    written += n;
    in = in.subspan(n);
  }
  return written;
}

/// Takes a head off `in` and writes it, without its mask; false if it isn't whole yet.
bool relay::read_head(peer& from, std::span<const std::byte>& in, size_t& written) {
  const auto* whole = in.data();
  if (from.head_size == 0 && in.size() >= net::max_head_size) {
    in = in.subspan(net::head_size(in[0], in[1]));
  } else {
    do {
      if (in.empty())
        return false;
      from.head[from.head_size++] = in.front();
      in = in.subspan(1);
    } while (from.head_size < 2 || from.head_size < net::head_size(from.head[0], from.head[1]));
    whole = from.head.data();
    from.head_size = 0;
  }
  auto head = net::read_head(whole);
  from.left = head.length;
  from.mask = head.mask.value_or(net::mask_key{});
  from.mask_phase = 0;
  head.mask.reset();
  written += net::write_head(head, out_.data() + written);
  return true;
}

void relay::send_unsent(peer& to) {
  auto sent = send(to.fd, to.unsent.data(), to.unsent.size(), MSG_NOSIGNAL);
  if (sent < 0 && errno != EAGAIN)
    return close_both(to);
  to.unsent.erase(to.unsent.begin(), to.unsent.begin() + std::max<ssize_t>(sent, 0));
  if (!to.unsent.empty())
    return;
  watch(to, to.watched & ~uint32_t{EPOLLOUT});
  watch(*to.other, to.other->watched | EPOLLIN);
}

void relay::watch(peer& who, uint32_t events) {
  who.watched = events;
  epoll_event event{.events = events, .data = {.ptr = &who}};
  checked(epoll_ctl(epoll_, EPOLL_CTL_MOD, who.fd, &event), "epoll_ctl");
}

void relay::close_both(peer& who) {
  if (who.other != nullptr)
    close_one(*who.other);
  close_one(who);
}

void relay::close_one(peer& who) {
  if (who.is_waiting)
    waiting_[who.is_client].erase(who.id);
  auto node = peers_.extract(who.fd);
  close(who.fd);
  who.fd = -1;
  closed_.push_back(std::move(node.mapped()));
}

void raise_file_limit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

} // namespace

int main(int argc, char** argv) {
  uint16_t port = 0;
  std::string_view text = argc == 2 ? argv[1] : "";
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) {
    std::fputs("usage: limit_relay PORT (0: any free port)\n", stderr);
    return 2;
  }
  raise_file_limit();
  relay instance{port};
  std::printf("listening 127.0.0.1:%u\n", unsigned{instance.port()});
  std::fflush(stdout);
  instance.run();
}
