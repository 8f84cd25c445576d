#include "net/transport.hpp"

#include "tls_peer.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <sys/socket.h>
#include <utility>
#include <vector>

namespace tandem::net {

namespace {

/// A transport over TLS, and the other end of its socket.
struct secure_line {
  secure_line() {
    std::array<int, 2> ends{};
    must(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()) == 0, "socketpair");
    far = unique_fd{ends[1]};
    auto stream = context.accept(certificate_demand::none);
    std::vector<std::byte> room(size_t{64} << 10);
    size_t size = 0;
    for (int i = 0; i < 5 && !stream->established(); ++i) {
      const auto bytes = peer.take();
      stream->receive(std::as_bytes(std::span{bytes}), room, size);
      peer.give(tls_stream::output());
    }
    must(stream->established(), "the handshake");
    near = std::make_unique<transport>(unique_fd{ends[0]}, std::move(stream));
  }

  transport::outgoing write(std::string& text) {
    const iovec part{text.data(), text.size()};
    return near->write({&part, 1});
  }

  test_identity identity{"a test"};
  tls_context context{tls_options{.identities = {identity.files()}}};
  tls_peer peer;
  unique_fd far;
  std::unique_ptr<transport> near;
};

} // namespace

TEST_CASE("what the kernel doesn't take over TLS is held back until it does", "[tls]") {
  secure_line line;
  std::string text(50'000, 'x');
  size_t sent = 0;
  transport::outgoing how;
  while (!how.blocked) {
    how = line.write(text);
    REQUIRE_FALSE(how.broken);
    sent += how.size;
  }
  CHECK(line.near->held_back() > 0);
  // Nothing more is taken.
  CHECK(line.write(text).size == 0);

  std::string got;
  std::vector<std::byte> room(size_t{64} << 10);
  while (got.size() < sent) {
    const auto n = ::recv(line.far.get(), room.data(), room.size(), 0);
    if (n > 0)
      got += line.peer.give(std::span{room}.first(static_cast<size_t>(n)));
    else
      REQUIRE_FALSE(line.near->write({}).broken);
  }
  CHECK(got == std::string(sent, 'x'));
  CHECK(line.near->held_back() == 0);
}

TEST_CASE("what is held back for one who has gone is dropped", "[tls]") {
  secure_line line;
  std::string text(50'000, 'x');
  while (!line.write(text).blocked) {
  }
  CHECK(line.near->held_back() > 0);
  line.far = {};
  CHECK(line.near->write({}).broken);
  CHECK(line.near->held_back() == 0);
  CHECK(line.near->finish_writing());
}

} // namespace tandem::net
