#include "net/tls_stream.hpp"

#include "tls_peer.hpp"

#include <catch2/catch.hpp>

#include <thread>
#include <vector>

namespace tandem::net {

namespace {

using status = tls_stream::status;

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span{text});
}

/// Both ends, shaking hands in memory.
struct conversation {
  explicit conversation(int version = TLS1_3_VERSION)
      : stream{context().accept(certificate_demand::none)}, peer{version} {}

  static const tls_context& context() {
    static const test_identity identity{"a test"};
    static const tls_context instance{tls_options{.identities = {identity.files()}}};
    return instance;
  }

  /// Gives the peer's ciphertext to the stream in pieces of `step` bytes, and its answers back.
  std::string deliver(size_t step = SIZE_MAX) {
    const auto all = peer.take();
    std::string plain;
    for (size_t i = 0; i < all.size() && what == status::open; i += std::min(step, all.size() - i))
      plain += receive(std::string_view{all}.substr(i, step));
    return plain;
  }

  std::string receive(std::string_view ciphertext) {
    std::vector<std::byte> room(ciphertext.size() + tls_stream::held_plaintext);
    size_t size = 0;
    what = stream->receive(bytes_of(ciphertext), room, size);
    REQUIRE(size <= room.size());
    heard += peer.give(tls_stream::output());
    return {reinterpret_cast<const char*>(room.data()), size};
  }

  void shake_hands(size_t step = SIZE_MAX) {
    for (int i = 0; i < 5 && !stream->established(); ++i)
      deliver(step);
    REQUIRE(stream->established());
  }

  /// Sends all of `text`, in parts of `step` bytes; returns what the peer gets.
  std::string send(std::string_view text, size_t step = SIZE_MAX) {
    constexpr size_t most_parts = 1000;
    std::string got;
    for (size_t sent = 0; sent < text.size();) {
      std::vector<iovec> parts;
      for (size_t i = sent; i < text.size() && parts.size() < most_parts; i += parts.back().iov_len)
        parts.push_back({const_cast<char*>(text.data()) + i, std::min(step, text.size() - i)});
      const auto n = stream->send(parts);
      REQUIRE(n > 0);
      got += peer.give(tls_stream::output());
      sent += n;
    }
    return got;
  }

  std::unique_ptr<tls_stream> stream;
  tls_peer peer;
  status what = status::open;
  /// What the peer got besides.
  std::string heard;
};

std::string pattern(size_t size) {
  std::string text(size, '\0');
  for (size_t i = 0; i < size; ++i)
    text[i] = static_cast<char>(i * 7 + i / 251);
  return text;
}

} // namespace

TEST_CASE("TLS carries bytes both ways, in whatever pieces they come", "[tls]") {
  const auto version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  const auto step = GENERATE(size_t{1}, size_t{1000}, SIZE_MAX);
  conversation x{version};
  x.shake_hands(step);
  CHECK(x.stream->subject().empty());
  for (auto size : {size_t{1}, size_t{16384}, size_t{16385}, size_t{200'000}}) {
    const auto text = pattern(size);
    x.peer.write(text);
    CHECK(x.deliver(step) == text);
    CHECK(x.send(text) == text);
  }
  CHECK(x.what == status::open);
}

TEST_CASE("all of many records comes at once", "[tls]") {
  conversation x;
  x.shake_hands();
  std::string all;
  for (size_t i = 0; i < 500; ++i) {
    x.peer.write(pattern(i + 1));
    all += pattern(i + 1);
  }
  CHECK(x.deliver() == all);
}

TEST_CASE("parts of any size leave in order", "[tls]") {
  const auto step = GENERATE(size_t{1}, size_t{100}, size_t{16384}, size_t{40'000});
  conversation x;
  x.shake_hands();
  const auto text = pattern(150'000);
  CHECK(x.send(text, step) == text);
}

TEST_CASE("what is sent at once is limited, and small parts share a record", "[tls]") {
  conversation x;
  x.shake_hands();
  std::string text(300'000, 'x');
  const iovec whole{text.data(), text.size()};
  CHECK(x.stream->send({&whole, 1}) == 65536);
  std::vector<iovec> parts(64, iovec{text.data(), 100});
  CHECK(x.stream->send(parts) == 6400);
  CHECK(tls_stream::output().size() < 6400 + 100);
}

TEST_CASE("keys may change at any time", "[tls]") {
  conversation x;
  x.shake_hands();
  for (int i = 0; i < 3; ++i) {
    x.peer.update_keys();
    x.peer.write("new keys here");
    CHECK(x.deliver() == "new keys here");
    CHECK(x.send("and there") == "and there");
  }
  CHECK(x.what == status::open);
}

TEST_CASE("who changes keys again and again, and sends little else, is cut off", "[tls]") {
  const auto step = GENERATE(1, 100);
  conversation x;
  x.shake_hands();
  for (int changes = 1; changes <= 100 && x.what == status::open; ++changes) {
    x.peer.update_keys();
    if (changes % step == 0)
      x.deliver();
  }
  CHECK(x.what == status::failed);
  CHECK(x.stream->fault() == "TLS: too many changes of keys");
}

TEST_CASE("who has something to send may change keys for ever", "[tls]") {
  conversation x;
  x.shake_hands();
  const auto text = pattern(256);
  int right = 0;
  for (int i = 0; i < 200; ++i) {
    x.peer.update_keys();
    x.peer.write(text);
    right += x.deliver() == text ? 1 : 0;
    right += x.send(text) == text ? 1 : 0;
  }
  CHECK(right == 400);
}

TEST_CASE("each end says when it is done", "[tls]") {
  const auto version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  conversation x{version};
  x.shake_hands();
  x.peer.write("last");
  x.peer.close();
  CHECK(x.deliver() == "last");
  CHECK(x.what == status::closed);
  // The other direction goes on.
  CHECK(x.send("more") == "more");
  CHECK_FALSE(x.peer.closed());
  x.stream->close();
  x.peer.give(tls_stream::output());
  CHECK(x.peer.closed());
  x.stream->close();
  CHECK(tls_stream::output().empty());
}

TEST_CASE("what precedes a broken record is delivered, and an alert answers it", "[tls]") {
  conversation x;
  x.shake_hands();
  x.peer.write("before");
  auto bytes = x.peer.take();
  x.peer.write("broken");
  auto broken = x.peer.take();
  broken.back() = static_cast<char>(broken.back() ^ 1);
  CHECK(x.receive(bytes + broken) == "before");
  CHECK(x.what == status::failed);
  CHECK(x.stream->fault() == "TLS: decryption failed or bad record mac");
  CHECK_FALSE(tls_stream::output().empty());

  // Nothing comes or goes any more, nor does it harm to try.
  CHECK(x.receive("after").empty());
  CHECK(x.what == status::failed);
  char byte = 'x';
  const iovec part{&byte, 1};
  CHECK(x.stream->send({&part, 1}) == 0);
  x.stream->close();
  CHECK(tls_stream::output().empty());
}

TEST_CASE("what isn't TLS fails", "[tls]") {
  for (std::string_view garbage : {"GET / HTTP/1.1\r\n\r\n", "\x16\x03\x01\x02", "no TLS at all"}) {
    conversation x;
    x.receive(garbage);
    x.receive(std::string(20'000, 'x'));
    CHECK(x.what == status::failed);
    CHECK_FALSE(x.stream->fault().empty());
    CHECK_FALSE(x.stream->established());
  }
}

TEST_CASE("a stream may move to another thread", "[tls]") {
  conversation x;
  x.shake_hands();
  x.peer.write(pattern(20'000));
  const auto bytes = x.peer.take();
  // In the midst of a record.
  std::string got = x.receive(bytes.substr(0, 17'000));
  std::thread{[&] {
    got += x.receive(bytes.substr(17'000));
    CHECK(x.send("from there") == "from there");
  }}.join();
  CHECK(got == pattern(20'000));
  CHECK(x.send("and back") == "and back");
}

TEST_CASE("streams of one thread take turns", "[tls]") {
  conversation x;
  conversation y;
  // Each in the midst of its handshake, and then of a record.
  for (int i = 0; i < 3; ++i) {
    x.deliver(100);
    y.deliver(100);
  }
  x.peer.write("x");
  y.peer.write("y");
  const auto from_x = x.peer.take();
  const auto from_y = y.peer.take();
  CHECK(x.receive(from_x.substr(0, 7)).empty());
  CHECK(y.receive(from_y.substr(0, 9)).empty());
  CHECK(x.receive(from_x.substr(7)) == "x");
  CHECK(y.receive(from_y.substr(9)) == "y");
}

} // namespace tandem::net
