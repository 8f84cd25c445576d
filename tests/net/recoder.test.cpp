#include "net/recoder.hpp"

#include "deflating.hpp"
#include "recoding.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

using namespace tandem;
using namespace tandem::net;
using namespace std::string_literals;

namespace {

constexpr deflate_params off{};
constexpr deflate_params full{.agreed = true};
constexpr deflate_params no_context{true, 15, 15, false, false};

/// What comes out for an end that takes nothing compressed.
recoding inflating(const std::vector<std::string>& fragments, recoder_options options = {},
                   uint8_t opcode = wire::text) {
  recoding run{full, off, options};
  run.push(frames_of(opcode, true, fragments));
  run.run();
  return run;
}

/// The one message that comes out.
std::string inflated(const std::vector<std::string>& fragments) {
  auto run = inflating(fragments);
  REQUIRE_FALSE(run.fault());
  REQUIRE(run.messages().size() == 1);
  CHECK_FALSE(run.messages()[0].compressed);
  return run.messages()[0].payload;
}

std::optional<end_reason> fault_of(const std::string& payload, recoder_options options = {}) {
  auto run = inflating({payload}, options);
  CHECK(run.messages().empty());
  return run.fault();
}

} // namespace

// -- the examples of RFC 7692, section 7.2.3 ------------------------------------------------------

TEST_CASE("RFC 7692, 7.2.3.1: a message in one block", "[recoder]") {
  CHECK(inflated({"\xf2\x48\xcd\xc9\xc9\x07\x00"s}) == "Hello");
  CHECK(inflated({"\xf2\x48\xcd"s, "\xc9\xc9\x07\x00"s}) == "Hello");
}

TEST_CASE("RFC 7692, 7.2.3.2: a message refers to the one before", "[recoder]") {
  recoding run{full, off};
  run.push(frame_of({wire::text, true, "\xf2\x48\xcd\xc9\xc9\x07\x00"s}));
  run.push(frame_of({wire::text, true, "\xf2\x00\x11\x00\x00"s}));
  run.run();
  const coded_message hello{wire::text, false, "Hello"};
  CHECK(run.messages() == std::vector{hello, hello});
}

TEST_CASE("without context a message can't refer to the one before", "[recoder]") {
  recoding run{no_context, off};
  run.push(frame_of({wire::text, true, "\xf2\x48\xcd\xc9\xc9\x07\x00"s}));
  run.push(frame_of({wire::text, true, "\xf2\x00\x11\x00\x00"s}));
  run.run();
  CHECK(run.fault() == end_reason::invalid_deflate);
  CHECK(run.messages().size() == 1);
}

TEST_CASE("RFC 7692, 7.2.3.3: a block without compression", "[recoder]") {
  CHECK(inflated({"\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"s}) == "Hello");
}

TEST_CASE("RFC 7692, 7.2.3.4: a final block", "[recoder]") {
  CHECK(inflated({"\xf3\x48\xcd\xc9\xc9\x07\x00\x00"s}) == "Hello");
  // Not as the RFC has it, but nothing is amiss: the block ends where the message does.
  CHECK(inflated({"\xf3\x48\xcd\xc9\xc9\x07\x00"s}) == "Hello");
}

TEST_CASE("a message behind a final block may refer to the one before", "[recoder]") {
  recoding run{full, off};
  auto first = GENERATE("\xf3\x48\xcd\xc9\xc9\x07\x00\x00"s, "\xf3\x48\xcd\xc9\xc9\x07\x00"s);
  run.push(frame_of({wire::text, true, first}));
  run.push(frame_of({wire::text, true, "\xf2\x00\x11\x00\x00"s}));
  run.run();
  const coded_message hello{wire::text, false, "Hello"};
  CHECK(run.messages() == std::vector{hello, hello});
}

TEST_CASE("RFC 7692, 7.2.3.5: two blocks in one message", "[recoder]") {
  CHECK(inflated({"\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"s}) == "Hello");
}

TEST_CASE("RFC 7692, 7.2.3.6: an empty message", "[recoder]") {
  CHECK(inflated({"\x00"s}).empty());
  // Of some senders' zlib.
  CHECK(inflated({""s}).empty());
  CHECK(inflated({""s, ""s}).empty());
  CHECK(inflated({"\x02\x00"s}).empty());
}

TEST_CASE("an empty message that is compressed disturbs no context", "[recoder]") {
  auto empty = GENERATE("\x00"s, ""s);
  recoding run{full, off};
  wire::message_deflater compress;
  run.push(frame_of({wire::text, true, compress("Hello, Hello")}));
  run.push(frame_of({wire::text, true, empty}));
  run.push(frame_of({wire::text, true, compress("Hello, Hello")}));
  run.run();
  REQUIRE(run.messages().size() == 3);
  CHECK(run.messages()[1].payload.empty());
  CHECK(run.messages()[2].payload == "Hello, Hello");
}

// -- what isn't valid -----------------------------------------------------------------------------

TEST_CASE("what is no DEFLATE is a fault", "[recoder]") {
  // A block of the reserved type, a stored block whose lengths differ, codes that don't exist, a
  // distance beyond the beginning.
  auto bad = GENERATE("\x06"s, "\x00\x05\x00\x00\x00Hello"s, "\xff\xff\xff\xff"s, "\x04\x00\xff"s,
                      "\xf2\x00\x11\x00\x00"s);
  CHECK(fault_of(bad) == end_reason::invalid_deflate);
}

TEST_CASE("a message that ends inside a block is a fault", "[recoder]") {
  wire::message_deflater compress;
  const auto whole = compress("a message that is long enough to be cut in many places");
  for (size_t n = 1; n + 1 < whole.size(); ++n) {
    CAPTURE(n);
    CHECK(fault_of(whole.substr(0, n)) == end_reason::invalid_deflate);
  }
}

TEST_CASE("what stands behind a final block has to be DEFLATE, too", "[recoder]") {
  CHECK(fault_of("\xf3\x48\xcd\xc9\xc9\x07\x00garbage"s) == end_reason::invalid_deflate);
  CHECK(inflated({"\xf3\x48\xcd\xc9\xc9\x07\x00\xf2\x48\xcd\xc9\xc9\x07\x00"s}) == "HelloHello");
}

TEST_CASE("text is checked as it is inflated", "[recoder]") {
  auto check = [](std::string_view text, uint8_t opcode) {
    wire::message_deflater compress;
    return inflating({compress(text)}, {}, opcode).fault();
  };
  CHECK_FALSE(check("gr\xC3\xBC\xC3\x9F", wire::text));
  CHECK(check("bad \xFF", wire::text) == end_reason::invalid_utf8);
  CHECK(check("cut \xE2\x82", wire::text) == end_reason::invalid_utf8);
  CHECK_FALSE(check("bad \xFF cut \xE2\x82", wire::binary));
}

TEST_CASE("messages before a fault come out, and nothing of the one that has it", "[recoder]") {
  auto to = GENERATE(as<deflate_params>{}, off, deflate_params{true, 15, 10, true, true});
  wire::message_deflater compress;
  recoding run{full, to};
  auto good = frame_of({wire::text, true, compress(std::string(1000, 'x'))});
  run.push(good + frame_of({wire::text, true, compress("half a mess\xFF")}) + good);
  run.run();
  CHECK(run.fault() == end_reason::invalid_utf8);
  CHECK(run.messages().size() == 1);
  CHECK_FALSE(run.unfinished());
}

TEST_CASE("a fault is told in the middle of a message", "[recoder]") {
  recoding run{full, off};
  wire::message_deflater compress;
  auto whole = compress(std::string(100, 'x') + "\xFF");
  run.push(frames_of(wire::text, true, {whole, "more"}).substr(0, 2 + whole.size()));
  run.run();
  CHECK(run.fault() == end_reason::invalid_utf8);
}

// -- sizes ----------------------------------------------------------------------------------------

TEST_CASE("the largest message counts what is inflated", "[recoder]") {
  wire::message_deflater compress{15, false};
  const std::string text(100'000, 'x');
  auto at_limit = inflating({compress(text)}, {.max_message = text.size()});
  CHECK(at_limit.messages().size() == 1);
  auto beyond = inflating({compress(text)}, {.max_message = text.size() - 1});
  CHECK(beyond.fault() == end_reason::too_big);
  CHECK(beyond.messages().empty());
}

TEST_CASE("of several faults the first counts, however much is inflated at once", "[recoder]") {
  const auto piece = GENERATE(size_t{64}, size_t{64} << 10);
  auto fault = [&](const std::string& text, bool broken) {
    wire::message_deflater compress;
    auto payload = compress(text) + (broken ? "\x07" : "");
    return inflating({payload}, {.max_message = 1000, .piece = piece}).fault();
  };
  CHECK(fault(std::string(1000, 'x') + "\xFF", true) == end_reason::too_big);
  CHECK(fault(std::string(999, 'x') + "\xFF", true) == end_reason::invalid_utf8);
  CHECK(fault(std::string(1001, 'x'), true) == end_reason::too_big);
  CHECK(fault(std::string(1000, 'x'), true) == end_reason::invalid_deflate);
  CHECK_FALSE(fault(std::string(1000, 'x'), false));
}

TEST_CASE("a bomb ends at the limit and is never held whole", "[recoder]") {
  const auto to =
      GENERATE(as<deflate_params>{}, off, deflate_params{true, 15, 10, true, true}, no_context);
  constexpr size_t limit = 4 << 20;
  // 1000:1.
  wire::message_deflater compress{15, true, 9};
  const auto bomb = compress(std::string(64 << 20, '\0'));
  CHECK(bomb.size() < 70'000);
  recoding run{full, to, {.max_message = limit}};
  run.push(frame_of({wire::binary, true, bomb}));
  run.run();
  CHECK(run.fault() == end_reason::too_big);
  REQUIRE(run.unfinished());
  CHECK(run.unfinished()->payload.size() <= limit);
  // Each step is short, whatever comes of it.
  CHECK(run.steps() >= limit / (3 * recoder::largest_piece));
}

TEST_CASE("a message larger than a piece comes out in fragments", "[recoder]") {
  const std::string text(300'000, 'x');
  wire::message_deflater compress;
  auto run = inflating({compress(text)}, {.piece = 1000});
  REQUIRE(run.messages().size() == 1);
  CHECK(run.messages()[0].payload == text);
  CHECK(run.steps() >= 300);
}

TEST_CASE("what isn't compressed and needn't be comes out as it is", "[recoder]") {
  recoding run{full, off, {.piece = 500}};
  const coded_message large{wire::binary, false, std::string(5000, '\xFF')};
  run.push(frame_of({wire::text, false, "plain"}) + frame_of({wire::text, false, ""}) +
           frame_of(large));
  run.run();
  CHECK(run.messages() ==
        std::vector<coded_message>{{wire::text, false, "plain"}, {wire::text, false, ""}, large});
}

// -- deflating ------------------------------------------------------------------------------------

TEST_CASE("small messages aren't worth compressing", "[recoder]") {
  recoding run{off, full, {.threshold = 100}};
  run.push(frame_of({wire::text, false, std::string(99, 'x')}) +
           frame_of({wire::text, false, std::string(100, 'x')}) +
           frames_of(wire::text, false, {"a fragment says nothing ", "of its message's size"}));
  run.run();
  REQUIRE(run.messages().size() == 3);
  CHECK_FALSE(run.messages()[0].compressed);
  CHECK(run.messages()[1].compressed);
  CHECK(run.messages()[1].payload.size() < 20);
  CHECK(run.messages()[2].compressed);
}

TEST_CASE("an empty message is deflated only where it can't be known", "[recoder]") {
  recoding run{off, full, {.threshold = 0}};
  run.push(frame_of({wire::text, false, ""}));
  // 7.2.3.6: a byte of zeros.
  run.push(frames_of(wire::binary, false, {"", "", ""}));
  run.push(frames_of(wire::binary, false, {"", ""}));
  run.run();
  CHECK(run.messages() == std::vector<coded_message>{{wire::text, false, ""},
                                                     {wire::binary, true, "\0"s},
                                                     {wire::binary, true, "\0"s}});
}

TEST_CASE("an unfinished message is at rest between its frames", "[recoder]") {
  recoding run{off, full, {.threshold = 0}};
  auto frames = frames_of(wire::text, false, {"one ", "two"});
  run.push(frames.substr(0, 6));
  run.run();
  CHECK(run.subject().at_rest());
  CHECK(run.messages().empty());
  run.push(frames.substr(6));
  run.run();
  REQUIRE(run.messages().size() == 1);
  CHECK(wire::message_inflater{}(run.messages()[0].payload) == "one two");
}

TEST_CASE("a receiver without context can inflate each message alone", "[recoder]") {
  const std::string text(1000, 'x');
  const auto keeps = GENERATE(true, false);
  recoding run{off, {true, 15, 15, true, keeps}};
  for (int i = 0; i < 3; ++i)
    run.push(frame_of({wire::text, false, text}));
  run.run();
  REQUIRE(run.messages().size() == 3);
  wire::message_inflater inflate{15, keeps};
  for (const auto& x : run.messages()) {
    CHECK(x.compressed);
    CHECK(inflate(x.payload) == text);
  }
  CHECK((run.messages()[2] == run.messages()[0]) == !keeps);
}

TEST_CASE("a receiver gets no wider a window than it takes", "[recoder]") {
  // A repetition too far back for 9 bits, well within 12.
  std::string noise;
  for (unsigned x = 1; noise.size() < 2000; x = x * 1103515245 + 12345)
    noise += static_cast<char>('a' + x / 65536 % 26);
  const auto text = noise + noise;
  auto size_for = [&](uint8_t bits) {
    recoding run{off, {true, 15, bits, true, true}, {.max_window_bits = 15}};
    run.push(frame_of({wire::text, false, text}));
    run.run();
    const auto& payload = run.messages().at(0).payload;
    CHECK(wire::message_inflater{bits}(payload) == text);
    return payload.size();
  };
  CHECK(size_for(9) > size_for(12) * 3 / 2);
}

TEST_CASE("an empty chunk changes nothing", "[recoder]") {
  recoder subject{off, full, {}};
  subject.push({});
  CHECK(subject.at_rest());
  CHECK(subject.held() == 0);
}
