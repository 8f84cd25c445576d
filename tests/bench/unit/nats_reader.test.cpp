#include "tests/bench/load/nats_reader.hpp"

#include <catch2/catch.hpp>

#include <vector>

using namespace tandem::bench;
using event = nats_reader::event;

namespace {

/// All events of `text` if it comes in pieces of so many bytes, and the sizes of its messages.
std::pair<std::vector<event>, std::vector<uint64_t>> read_all(std::string_view text, size_t piece) {
  nats_reader reader;
  std::pair<std::vector<event>, std::vector<uint64_t>> found;
  for (; !text.empty(); text.remove_prefix(std::min(piece, text.size()))) {
    auto part = text.substr(0, piece);
    for (auto what = reader.next(part); what != event::none; what = reader.next(part)) {
      found.first.push_back(what);
      if (what == event::message)
        found.second.push_back(reader.size());
    }
    CHECK(part.empty());
  }
  return found;
}

} // namespace

TEST_CASE("a NATS server's messages are found in any pieces") {
  const std::string_view text = "INFO {\"x\":1} \r\nPONG\r\nMSG w.1 1 3\r\nabc\r\n"
                                "MSG w.1 1 0\r\n\r\nPING\r\nMSG w.1 1 12\r\nPING\r\nPONG\r\n\r\n";
  for (size_t piece = 1; piece <= text.size(); ++piece) {
    auto [events, sizes] = read_all(text, piece);
    CHECK(events ==
          std::vector{event::pong, event::message, event::message, event::ping, event::message});
    CHECK(sizes == std::vector<uint64_t>{3, 0, 12});
  }
}

TEST_CASE("a NATS server's error is told in its words") {
  nats_reader reader;
  std::string_view text = "-ERR 'Maximum Payload Violation'\r\n";
  CHECK(reader.next(text) == event::error);
  CHECK(reader.error() == "-ERR 'Maximum Payload Violation'");
}
