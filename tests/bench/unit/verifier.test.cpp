#include "tests/bench/load/verifier.hpp"

#include <catch2/catch.hpp>

#include <vector>

using namespace tandem;
using namespace tandem::bench;

namespace {

using bytes = std::vector<std::byte>;

/// A verifier, and the messages that it expects.
struct bed {
  explicit bed(size_mix sizes = size_mix{100}, bool check = true)
      : what{.sizes = std::move(sizes)}, checker{what, 9, direction::to_worker, check, log} {}

  bytes message(uint64_t sequence) const {
    auto content = what.message(9, direction::to_worker, sequence);
    bytes out(content.size());
    content.write(0, out);
    return out;
  }

  void deliver(const bytes& content, net::opcode op = net::opcode::binary, size_t step = 33) {
    size_t at = 0;
    do {
      auto n = std::min(step, content.size() - at);
      checker.take({.what = frame_event::kind::piece,
                    .op = op,
                    .last = at + n == content.size(),
                    .bytes = std::span{content}.subspan(at, n)});
      at += n;
    } while (at < content.size());
  }

  void deliver(std::initializer_list<uint64_t> sequences) {
    for (auto sequence : sequences)
      deliver(message(sequence));
  }

  script what;
  fault_log log;
  verifier checker;
};

} // namespace

TEST_CASE("what was sent passes") {
  bed test{*size_mix::parse("0,1,100,5000")};
  for (uint64_t i = 0; i < 100; ++i)
    test.deliver(test.message(i));
  test.checker.finish(100);
  CHECK(test.log.total() == 0);
  CHECK(test.checker.received() == 100);
}

TEST_CASE("a single wrong bit is corruption, with its place") {
  bed test;
  test.deliver({0, 1});
  auto wrong = test.message(2);
  wrong[99] ^= std::byte{0x80};
  test.deliver(wrong);
  test.deliver({3, 4});
  test.checker.finish(5);
  CHECK(test.log.total() == 1);
  REQUIRE(test.log.count(fault::corrupt) == 1);
  CHECK(test.log.texts(fault::corrupt).front() ==
        "pair 9, at the worker: message 2 (100 bytes, expected 100) differs from byte 99 on");
}

TEST_CASE("a message that is too short, or too long, is corruption") {
  bed test;
  auto content = test.message(0);
  content.pop_back();
  test.deliver(content);
  content = test.message(1);
  content.push_back(std::byte{0});
  test.deliver(content);
  test.deliver({2});
  test.checker.finish(3);
  CHECK(test.log.count(fault::corrupt) == 2);
  CHECK(test.log.total() == 2);
}

TEST_CASE("the wrong opcode is told from wrong content") {
  bed test;
  test.deliver(test.message(0), net::opcode::text);
  CHECK(test.log.count(fault::opcode) == 1);
  CHECK(test.log.total() == 1);
}

TEST_CASE("lost messages are counted, and those after them are still checked") {
  bed test;
  test.deliver({0, 1, 4, 5, 6});
  test.checker.finish(8);
  CHECK(test.log.count(fault::order) == 1);
  CHECK(test.log.count(fault::lost) == 3);
  CHECK(test.log.texts(fault::lost).front() ==
        "pair 9, at the worker: 3 of 8 messages never came, the first of them number 2");
  CHECK(test.log.total() == 4);
}

TEST_CASE("messages that swapped places are out of order, not lost") {
  bed test;
  test.deliver({0, 2, 1, 3});
  test.checker.finish(4);
  CHECK(test.log.count(fault::order) == 1);
  CHECK(test.log.total() == 1);
}

TEST_CASE("a message that comes again is a duplicate, however late") {
  bed test;
  test.deliver({0, 1, 1, 2, 0, 3});
  test.checker.finish(4);
  CHECK(test.log.count(fault::duplicate) == 2);
  CHECK(test.log.total() == 2);
}

TEST_CASE("another pair's message is corruption") {
  bed test;
  auto content = test.what.message(8, direction::to_worker, 0);
  bytes other(content.size());
  content.write(0, other);
  test.deliver(other);
  CHECK(test.log.count(fault::corrupt) == 1);
}

TEST_CASE("without checks, messages are counted all the same") {
  bed test{size_mix{100}, false};
  test.deliver({0, 5, 5});
  CHECK(test.log.total() == 0);
  SECTION("too few") {
    test.checker.finish(5);
    CHECK(test.log.count(fault::lost) == 2);
  }
  SECTION("too many") {
    test.checker.finish(1);
    CHECK(test.log.count(fault::duplicate) == 2);
  }
}

TEST_CASE("the log keeps the first texts of each kind") {
  fault_log log;
  for (int i = 0; i < 1000; ++i)
    log.add(fault::corrupt, std::to_string(i));
  log.add(fault::ended, "why");
  fault_log other;
  other.add(fault::corrupt, "other", 10);
  log.merge(other);
  CHECK(log.count(fault::corrupt) == 1010);
  CHECK(log.texts(fault::corrupt).size() == fault_log::texts_per_kind);
  CHECK(log.texts(fault::ended) == std::vector<std::string>{"why"});
  CHECK(log.total() == 1011);
}
