#include "net/outbox.hpp"

#include "wire.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <deque>
#include <random>
#include <string>
#include <string_view>
#include <vector>

using namespace tandem;
using namespace tandem::net;

namespace {

chunk chunk_of(std::string_view text) {
  return make_chunk(std::as_bytes(std::span{text}));
}

/// All that gather describes, joined.
std::string front_of(const outbox& box, size_t entries = 1000) {
  std::vector<iovec> parts(entries);
  parts.resize(box.gather(parts));
  std::string out;
  for (const auto& x : parts)
    out.append(static_cast<const char*>(x.iov_base), x.iov_len);
  return out;
}

/// The same queue, in the plainest way.
class model {
public:
  void push(std::string text, size_t cost) { entries_.push_back({std::move(text), cost, false}); }

  void push_control(std::string text) {
    auto at = entries_.begin() + (begun_ ? 1 : 0);
    while (at != entries_.end() && at->is_control)
      ++at;
    entries_.insert(at, {std::move(text), 0, true});
  }

  size_t consume(size_t n) {
    size_t cost = 0;
    while (!entries_.empty() && n >= entries_.front().text.size()) {
      n -= entries_.front().text.size();
      cost += entries_.front().cost;
      entries_.pop_front();
      begun_ = false;
    }
    if (n > 0) {
      entries_.front().text.erase(0, n);
      begun_ = true;
    }
    return cost;
  }

  void drop_waiting() {
    while (entries_.size() > (begun_ ? 1 : 0))
      entries_.pop_back();
  }

  std::string text(size_t entries = SIZE_MAX) const {
    std::string out;
    for (size_t i = 0; i < std::min(entries, entries_.size()); ++i)
      out += entries_[i].text;
    return out;
  }

  size_t control_bytes() const {
    size_t sum = 0;
    for (const auto& x : entries_)
      sum += x.is_control ? x.text.size() : 0;
    return sum;
  }

private:
  struct entry {
    std::string text;
    size_t cost;
    bool is_control;
  };

  std::deque<entry> entries_;
  bool begun_ = false;
};

} // namespace

TEST_CASE("an outbox is empty until something is pushed") {
  outbox box;
  std::array<iovec, 4> parts;
  CHECK(box.empty());
  CHECK(box.gather(parts) == 0);
  CHECK(box.consume(0) == 0);
  box.push(chunk_of("x"));
  CHECK_FALSE(box.empty());
}

TEST_CASE("chunks leave in order and their cost comes back once they are gone") {
  outbox box;
  const auto first = chunk_of("first");
  const auto second = chunk_of("second");
  box.push(first);
  box.push(second);
  CHECK(front_of(box) == "firstsecond");
  CHECK(box.consume(4) == 0);
  CHECK(front_of(box) == "tsecond");
  CHECK(box.consume(2) == first.cost());
  CHECK(front_of(box) == "econd");
  CHECK(box.consume(4) == 0);
  CHECK(box.consume(1) == second.cost());
  CHECK(box.empty());
}

TEST_CASE("several chunks that leave at once return all of their cost") {
  outbox box;
  const auto x = chunk_of("abc");
  for (int i = 0; i < 5; ++i)
    box.push(x);
  CHECK(box.consume(11) == 3 * x.cost());
  CHECK(box.consume(4) == 2 * x.cost());
}

TEST_CASE("a gathered write takes no more entries than it has room for") {
  outbox box;
  for (const auto* text : {"a", "b", "c", "d"})
    box.push(chunk_of(text));
  CHECK(front_of(box, 3) == "abc");
  CHECK(front_of(box, 0).empty());
}

TEST_CASE("control frames go ahead of data in their own order") {
  outbox box;
  box.push(chunk_of("data "));
  box.push_control(chunk_of("one "));
  box.push_control(chunk_of("two "));
  CHECK(front_of(box) == "one two data ");
}

TEST_CASE("control frames don't part a chunk that has begun to leave") {
  outbox box;
  box.push(chunk_of("begun "));
  box.push(chunk_of("waiting "));
  box.consume(1);
  box.push_control(chunk_of("one "));
  box.push_control(chunk_of("two "));
  CHECK(front_of(box) == "egun one two waiting ");
}

TEST_CASE("control frames are counted until they leave and cost nothing") {
  outbox box;
  box.push_control(chunk_of("12345"));
  box.push_control(chunk_of("678"));
  box.push(chunk_of("data"));
  CHECK(box.control_bytes() == 8);
  CHECK(box.consume(2) == 0);
  CHECK(box.control_bytes() == 6);
  CHECK(box.consume(4) == 0);
  CHECK(box.control_bytes() == 2);
  CHECK(box.consume(3) == 0);
  CHECK(box.control_bytes() == 0);
  CHECK(front_of(box) == "ata");
}

TEST_CASE("a chunk without bytes leaves with what is around it") {
  outbox box;
  const auto nothing = chunk_of("");
  const auto some = chunk_of("some");
  box.push(nothing);
  box.push(some);
  box.push(nothing);
  CHECK(box.consume(4) == 2 * nothing.cost() + some.cost());
  CHECK(box.empty());
}

TEST_CASE("an outbox that was cleared begins anew") {
  outbox box;
  box.push_control(chunk_of("control"));
  box.push(chunk_of("data"));
  box.consume(3);
  box.clear();
  CHECK(box.empty());
  CHECK(box.control_bytes() == 0);
  box.push(chunk_of("new"));
  CHECK(front_of(box) == "new");
}

TEST_CASE("what waits can be dropped but not the rest of what has begun to leave") {
  outbox box;
  const auto begun = chunk_of("begun");
  box.push(begun);
  box.push(chunk_of("waiting"));
  box.push_control(chunk_of("control"));
  SECTION("nothing has begun") {
    box.drop_waiting();
    CHECK(box.empty());
  }
  SECTION("a control frame has begun") {
    box.consume(3);
    box.drop_waiting();
    CHECK(front_of(box) == "trol");
    CHECK(box.control_bytes() == 4);
  }
  SECTION("a chunk has begun") {
    box.consume(9);
    box.drop_waiting();
    CHECK(front_of(box) == "gun");
    CHECK(box.control_bytes() == 0);
    CHECK(box.consume(3) == begun.cost());
  }
}

TEST_CASE("an outbox behaves as a plain queue under random steps") {
  for (uint64_t seed = 0; seed < 300; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 rng{seed};
    // Both longer than what a gathered write takes, and mostly empty.
    const auto steady = 1 + rng() % 3;
    outbox box;
    model plain;
    for (int step = 0; step < 400; ++step) {
      const std::string text(rng() % 20, wire::octet('a' + rng() % 26));
      const auto kind = rng() % (2 + steady);
      if (rng() % 100 == 0) {
        box.drop_waiting();
        plain.drop_waiting();
      } else if (kind == 0) {
        box.push_control(chunk_of(text + "!"));
        plain.push_control(text + "!");
      } else if (kind == 1) {
        const auto n = rng() % (plain.text().size() + 1);
        REQUIRE(box.consume(n) == plain.consume(n));
      } else {
        auto x = chunk_of(text);
        plain.push(text, x.cost());
        box.push(std::move(x));
      }
      REQUIRE(front_of(box) == plain.text());
      REQUIRE(front_of(box, 3) == plain.text(3));
      REQUIRE(box.control_bytes() == plain.control_bytes());
    }
  }
}
