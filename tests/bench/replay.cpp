/// replay: has the broker's data path carry a fixed stream of messages, so that callgrind can count
/// what it takes. Without callgrind it does the same and counts nothing.
///
/// Sessions, decoders, connection actors and outboxes are real, on a network worker with real
/// sockets. The other ends of the sockets are played on the worker's own thread, as one more
/// handler of it, so nothing depends on which thread is faster; what they do isn't counted.
/// stdout has the compiler's version and, for each case, its name and how many messages were
/// forwarded in it. callgrind writes a dump by that name.

#include "actors/connection.hpp"
#include "actors/directory.hpp"
#include "net/frame.hpp"
#include "net/memory.hpp"
#include "net/network_worker.hpp"
#include "net/session.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <future>
#include <memory>
#include <string>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <valgrind/callgrind.h>
#include <vector>

namespace {

namespace net = tandem::net;

constexpr size_t pairs = 20;
constexpr int uncounted_rounds = 20;
constexpr int counted_rounds = 50;
/// A round takes two turns of the worker.
constexpr int most_turns = 20;

/// What is sent in each round by each end of each pair, by one write.
struct replay_case {
  const char* name;
  size_t size;
  size_t messages;
  net::opcode op = net::opcode::binary;
};

constexpr std::array cases{
    replay_case{"128x1", 128, 1},
    replay_case{"128x16", 128, 16},
    replay_case{"4096x1", 4096, 1},
    replay_case{"4096x16", 4096, 16},
    replay_case{"4096x16-text", 4096, 16, net::opcode::text},
};

[[noreturn]] void fail(const char* what) {
  std::perror(what);
  std::_Exit(1);
}

int checked(int result, const char* what) {
  return result < 0 ? (fail(what), result) : result;
}

std::vector<std::byte> masked_frames(const replay_case& of) {
  std::vector<std::byte> bytes;
  for (size_t i = 0; i < of.messages; ++i) {
    net::frame_head head;
    head.op = of.op;
    head.length = of.size;
    head.mask =
        net::mask_key{std::byte{0x37}, std::byte{0xFA}, std::byte{0x21}, static_cast<std::byte>(i)};
    const auto begin = bytes.size();
    bytes.resize(begin + net::max_head_size + of.size, std::byte{'x'});
    auto* payload = bytes.data() + begin + net::write_head(head, bytes.data() + begin);
    net::apply_mask(bytes.data() + begin + net::max_head_size, payload, of.size, *head.mask, 0);
    bytes.resize(static_cast<size_t>(payload - bytes.data()) + of.size);
  }
  return bytes;
}

/// The other ends of all sockets. They send a round, wait until all of it has arrived at the peers,
/// and send the next one.
class other_ends final : public net::socket_handler {
public:
  other_ends(net::network_worker& worker, std::vector<net::unique_fd> ends, std::promise<void> done)
      : socket_handler{worker}, ends_{std::move(ends)}, done_{std::move(done)} {
    begin_case();
  }

  int fd() const noexcept override { return always_ready_.get(); }

  void on_ready(uint32_t) override {
    if (counts_)
      CALLGRIND_TOGGLE_COLLECT;
    take();
    if (due_ == 0)
      next_round();
    else if (++turns_ > most_turns)
      fail("replay: messages don't arrive");
    if (counts_)
      CALLGRIND_TOGGLE_COLLECT;
  }

  void flush() override {}
  bool check_deadline(std::chrono::steady_clock::time_point) override { return false; }

private:
  const replay_case& at_hand() const { return cases[case_]; }

  void take() {
    for (const auto& end : ends_) {
      auto n = ::recv(end.get(), room_.data(), room_.size(), MSG_DONTWAIT);
      if (n < 0 && errno != EAGAIN)
        fail("replay: recv");
      due_ -= std::max<ssize_t>(n, 0);
    }
  }

  void next_round() {
    if (case_ == cases.size())
      return;
    if (round_ == uncounted_rounds)
      counts_ = true;
    if (round_ == uncounted_rounds + counted_rounds && !end_case())
      return;
    ++round_;
    turns_ = 0;
    for (const auto& end : ends_)
      if (::send(end.get(), frames_.data(), frames_.size(), 0) != ssize_t(frames_.size()))
        fail("replay: a round doesn't fit into a socket's buffer");
    // The masks are all that doesn't arrive.
    due_ = static_cast<ssize_t>(ends_.size() * (frames_.size() - 4 * at_hand().messages));
  }

  /// False if it was the last one.
  bool end_case() {
    counts_ = false;
    CALLGRIND_DUMP_STATS_AT(at_hand().name);
    std::printf("%s %zu\n", at_hand().name, ends_.size() * at_hand().messages * counted_rounds);
    if (++case_ == cases.size()) {
      done_.set_value();
      return false;
    }
    begin_case();
    return true;
  }

  void begin_case() {
    round_ = 0;
    frames_ = masked_frames(at_hand());
  }

  net::unique_fd always_ready_{checked(::eventfd(1, EFD_CLOEXEC), "eventfd")};
  std::vector<net::unique_fd> ends_;
  std::promise<void> done_;
  std::vector<std::byte> frames_;
  std::vector<std::byte> room_ = std::vector<std::byte>(size_t{1} << 20);
  /// Bytes of this round that haven't arrived.
  ssize_t due_ = 0;
  size_t case_ = 0;
  int round_ = 0;
  int turns_ = 0;
  bool counts_ = false;
};

/// Without threads: what isn't pinned never runs.
struct config : caf::actor_system_config {
  config() {
    set("scheduler.policy", caf::atom("testing"));
    add_message_types<caf::id_block::tandem>();
  }
};

/// A connection on one end of a new socketpair; the other end joins `ends`.
tandem::connection_actor add_connection(net::network_worker& worker, tandem::peer_info who,
                                        const net::session_limits& limits,
                                        std::vector<net::unique_fd>& ends) {
  static const auto options = std::make_shared<const tandem::connection_options>();
  int fds[2];
  checked(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), "socketpair");
  checked(::fcntl(fds[0], F_SETFL, O_NONBLOCK), "fcntl");
  // As much as there may be.
  const int room = 1 << 20;
  for (auto fd : fds)
    ::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
  ends.emplace_back(fds[1]);
  auto link = net::session::make(worker, net::transport{net::unique_fd{fds[0]}}, {}, limits);
  return worker.system().spawn<tandem::connection>(std::ref(worker), std::move(link),
                                                   std::move(who), options);
}

void add_pair(net::network_worker& worker, size_t number, const net::session_limits& limits,
              std::vector<net::unique_fd>& ends) {
  const auto key = std::to_string(number);
  const uint64_t client_id = 2 * number + 1;
  const uint64_t worker_id = client_id + 1;
  const tandem::peer_info client_info{client_id, tandem::role::client, key, "unix"};
  const tandem::peer_info worker_info{worker_id, tandem::role::worker, key, "unix"};
  auto client = add_connection(worker, client_info, limits, ends);
  auto other = add_connection(worker, worker_info, limits, ends);
  using bind = tandem::atom::bind;
  caf::anon_send(client, bind::value, tandem::peer_ref{tandem::share(worker_info), other});
  caf::anon_send(other, bind::value, tandem::peer_ref{tandem::share(client_info), client});
}

} // namespace

int main() {
  std::puts("compiler " __VERSION__);
  net::keep_freed_memory();
  config settings;
  caf::actor_system system{settings};
  // Connections make themselves known to a pairing, without which they would end.
  const auto nobody = system.spawn(
      [](caf::event_based_actor*) -> caf::behavior { return {[](const caf::unit_t&) {}}; });
  tandem::directory::publish(system, {caf::actor_cast<tandem::pairing_actor>(nobody)});

  const net::session_limits limits;
  net::network_worker worker{system, 0, 256};
  std::vector<net::unique_fd> ends;
  for (size_t i = 0; i < pairs; ++i)
    add_pair(worker, i, limits, ends);
  std::promise<void> done;
  auto is_done = done.get_future();
  // The worker owns its handlers.
  worker.add(*new other_ends{worker, std::move(ends), std::move(done)}, EPOLLIN);
  worker.start();
  is_done.wait();
  std::fflush(stdout);
  // The pairs are still bound and nobody is to hear of their end.
  std::_Exit(0);
}
