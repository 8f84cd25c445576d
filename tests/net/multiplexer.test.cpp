#include "net/multiplexer.hpp"

#include "multiplexing.hpp"

#include <nlohmann/json.hpp>

using namespace tandem;
using namespace tandem::net;
using namespace tandem::test;

namespace {

using json = nlohmann::json;
using texts = std::vector<std::string>;

std::string number(uint32_t x) {
  return wire::big_endian(x, 4);
}

} // namespace

// -- opening --------------------------------------------------------------------------------------

TEST_CASE("a worker's connection is welcomed", "[multiplexer]") {
  hub_test t;
  auto said = t.turn();
  REQUIRE(said.size() == 1);
  CHECK(said[0].type == 8);
  CHECK(said[0].channel == 0);
  CHECK(json::parse(said[0].payload) ==
        json{{"event", "welcome"}, {"connection", 2}, {"heartbeat", 0}});
  CHECK(t.session.kept_short);
  CHECK(t.session.allowance > 0);
}

TEST_CASE("the peer learns of a channel when it is bound", "[multiplexer]") {
  hub_test t;
  t.turn();
  auto& x = t.add();
  CHECK(t.turn().empty());
  t.bind(x, 5);
  auto said = t.turn();
  REQUIRE(said.size() == 1);
  CHECK(said[0].type == 1);
  CHECK(said[0].channel == 1);
  auto fields = json::parse(said[0].payload);
  CHECK(fields["client"] == 5);
  CHECK(fields["key"] == "gpu");
  CHECK(fields["credit"] == channel_window);
}

TEST_CASE("channels are numbered from 1, and no number comes again soon", "[multiplexer]") {
  hub_test t;
  CHECK(t.open().number == 1);
  auto& second = t.open();
  CHECK(second.number == 2);
  t.receive({{4, 2, ""}});
  CHECK(second.owner.end);
  CHECK(t.open().number == 3);
}

TEST_CASE("a table of channels finds each of many", "[multiplexer]") {
  hub_test t{{.slots = 1000}};
  for (uint32_t i = 1; i <= 300; ++i)
    CHECK(t.open().number == i);
  for (uint32_t i = 1; i <= 300; i += 2)
    t.receive({{4, i, ""}});
  std::vector<framed> all;
  for (uint32_t i = 1; i <= 300; ++i)
    all.push_back({2, i, std::to_string(i)});
  t.receive(all);
  for (uint32_t i = 1; i <= 300; ++i) {
    const auto& owner = t.guests[i - 1]->owner;
    CHECK(owner.messages() == (i % 2 == 1 ? texts{} : texts{"text:" + std::to_string(i)}));
  }
  CHECK(t.hub->dropped() == 150);
}

// -- coming in ------------------------------------------------------------------------------------

TEST_CASE("each channel's messages come in one chunk", "[multiplexer]") {
  hub_test t;
  auto& one = t.open();
  auto& two = t.open();
  t.receive({{2, 1, "a"}, {3, 2, "b"}, {2, 1, "c"}, {2, 2, ""}, {2, 1, std::string(200, 'd')}});
  CHECK(one.owner.chunks == 1);
  CHECK(one.owner.messages() == texts{"text:a", "text:c", "text:" + std::string(200, 'd')});
  CHECK(two.owner.chunks == 1);
  CHECK(two.owner.messages() == texts{"binary:b", "text:"});
}

TEST_CASE("a message that comes in pieces goes on in pieces", "[multiplexer]") {
  hub_test t;
  auto& x = t.open();
  const auto whole = to_text({2, 1, "0123456789"});
  t.session.receive(chunk_of_frames(wire::from_server(wire::binary, whole.substr(0, 5), false)));
  CHECK(x.owner.chunks == 0);
  CHECK_FALSE(x.link->inside_message());
  t.session.receive(
      chunk_of_frames(wire::from_server(wire::continuation, whole.substr(5, 7), false)));
  CHECK(x.owner.chunks == 1);
  CHECK(x.link->inside_message());
  t.session.receive(chunk_of_frames(wire::from_server(wire::continuation, whole.substr(12))));
  CHECK(x.owner.messages() == texts{"text:0123456789"});
  CHECK_FALSE(x.link->inside_message());
}

TEST_CASE("a channel that the peer closes ends, and no other", "[multiplexer]") {
  hub_test t;
  auto& one = t.open();
  auto& two = t.open();
  t.receive(
      {{2, 1, "last"}, {4, 1, wire::close_payload(4001, "done")}, {2, 1, "late"}, {2, 2, "x"}});
  CHECK(one.owner.messages() == texts{"text:last"});
  REQUIRE(one.owner.end);
  CHECK(one.owner.end->reason == end_reason::closed_by_peer);
  CHECK(one.owner.end->code == 4001);
  CHECK(one.owner.end->text == "done");
  CHECK(two.owner.messages() == texts{"text:x"});
  CHECK_FALSE(two.owner.end);
  CHECK(t.hub->dropped() == 1);
  CHECK(one.link->send(text_chunk("x")) == send_status::ended);
  CHECK(t.turn().empty());
  CHECK(t.hub->channels() == 1);
}

TEST_CASE("capacity and drain are told", "[multiplexer]") {
  hub_test t{{.most_slots = 10}};
  t.receive({{6, 0, number(7)}, {7, 0, ""}, {6, 0, number(0)}, {6, 0, number(11)}});
  CHECK(t.events.capacities == std::vector<uint32_t>{7, 0, 10});
  CHECK(t.events.drains == 1);
}

TEST_CASE("a fault of the peer's ends all its channels", "[multiplexer]") {
  hub_test t;
  auto& x = t.open();
  auto fault = GENERATE(framed{2, 9, "x"}, framed{4, 9, ""}, framed{5, 9, number(1)},
                        framed{1, 1, "{}"}, framed{2, 0, "x"});
  t.receive({{2, 1, "before"}, fault, {2, 1, "behind"}});
  CHECK(x.owner.messages() == texts{"text:before"});
  REQUIRE(t.session.closed);
  CHECK(t.session.closed->code == 1002);
  CHECK_FALSE(t.session.closed->text.empty());
  CHECK(t.events.end->reason == end_reason::protocol_error);
  CHECK_FALSE(x.owner.end);
  t.hub.reset();
  CHECK(x.owner.end->reason == end_reason::protocol_error);
}

TEST_CASE("what isn't UTF-8 ends the worker with 1007", "[multiplexer]") {
  hub_test t;
  auto& x = t.open();
  t.receive({{2, 1, "ok"}, {2, 1, "\xFF"}});
  CHECK(x.owner.messages() == texts{"text:ok"});
  CHECK(t.session.closed->code == 1007);
}

TEST_CASE("the end of the connection is the end of all channels", "[multiplexer]") {
  hub_test t;
  auto& one = t.open();
  auto& two = t.add();
  SECTION("that it closed says nothing of them") {
    t.session.end({end_reason::closed_by_peer, 1000, "bye"});
    CHECK(t.events.end->reason == end_reason::closed_by_peer);
    t.hub.reset();
    CHECK(one.owner.end->reason == end_reason::vanished);
  }
  SECTION("any other end is theirs") {
    t.session.end(ending::by(end_reason::stalled));
    CHECK(t.events.end->reason == end_reason::stalled);
    t.hub.reset();
    CHECK(one.owner.end->reason == end_reason::stalled);
  }
  CHECK(two.owner.end);
  CHECK(one.link->send(text_chunk("x")) == send_status::ended);
  one.link->close(ending::by(end_reason::peer_closed));
  one.link->allow(5);
  one.link->ping();
  CHECK(&one.link->where() == &t.w.home());
}

TEST_CASE("channels outlive their multiplexer", "[multiplexer]") {
  hub_test t;
  auto& x = t.open();
  t.hub.reset();
  CHECK(x.owner.end->reason == end_reason::broker_fault);
  CHECK(t.session.released);
  CHECK(x.link->send(text_chunk("x")) == send_status::ended);
}

// -- going out ------------------------------------------------------------------------------------

TEST_CASE("what a channel is sent reaches the peer with its head", "[multiplexer]") {
  hub_test t;
  auto& one = t.open();
  auto& two = t.open();
  const auto big = std::string(70'000, 'b');
  CHECK(one.link->send(text_chunk("a")) == send_status::queued);
  CHECK(two.link->send(chunk_of_frames(wire::from_server(wire::binary, "b") +
                                       wire::from_server(wire::text, ""))) == send_status::queued);
  CHECK(one.link->send(text_chunk(big)) == send_status::queued);
  CHECK(t.session.sent.empty());
  CHECK(t.turn() == std::vector<framed>{{2, 1, "a"}, {2, 1, big}, {3, 2, "b"}, {2, 2, ""}});
}

TEST_CASE("a turn's messages of all channels leave in one chunk", "[multiplexer]") {
  hub_test t;
  std::vector<framed> expected;
  for (uint32_t i = 1; i <= 50; ++i) {
    CHECK(t.open().link->send(text_chunk("m" + std::to_string(i))) == send_status::queued);
    expected.push_back({2, i, "m" + std::to_string(i)});
    t.turn();
  }
  for (auto& x : t.guests)
    CHECK(x->link->send(text_chunk("m" + std::to_string(x->number))) == send_status::queued);
  t.session.flush();
  CHECK(t.session.sent.size() == 1);
  CHECK(t.take_sent() == expected);
}

TEST_CASE("fragments are put together", "[multiplexer]") {
  hub_test t;
  auto& x = t.open();
  const std::string half(30'000, 'h');
  auto first = chunk_of_frames(wire::from_server(wire::text, "whole") +
                               wire::from_server(wire::text, half, false));
  auto second = chunk_of_frames(wire::from_server(wire::continuation, half, false));
  auto third = chunk_of_frames(wire::from_server(wire::continuation, "end") +
                               wire::from_server(wire::binary, "next"));
  CHECK(x.link->send(first) == send_status::queued);
  CHECK(t.turn() == std::vector<framed>{{2, 1, "whole"}});
  CHECK(x.owner.sent == first.cost());
  // What went into an unfinished message is credit at once, or it could never be finished.
  CHECK(x.link->send(second) == send_status::queued);
  CHECK(t.turn().empty());
  CHECK(x.owner.sent == first.cost() + second.cost());
  CHECK(x.link->send(third) == send_status::queued);
  CHECK(t.turn() == std::vector<framed>{{2, 1, half + half + "end"}, {3, 1, "next"}});
  CHECK(x.owner.sent == first.cost() + second.cost() + third.cost());
}

TEST_CASE("what has left is told to the channel whose it was", "[multiplexer]") {
  hub_test t;
  auto& one = t.open();
  auto& two = t.open();
  const auto a = text_chunk(std::string(500, 'a'));
  const auto b = text_chunk(std::string(900, 'b'));
  CHECK(one.link->send(a) == send_status::queued);
  CHECK(two.link->send(b) == send_status::queued);
  t.session.flush();
  CHECK(one.owner.sent + two.owner.sent == 0);
  t.session.drain();
  CHECK(one.owner.sent == a.cost());
  CHECK(two.owner.sent == b.cost());
}

TEST_CASE("the credit of a message that was put together comes when that has left",
          "[multiplexer]") {
  hub_test t;
  auto& x = t.open();
  const auto begin = chunk_of_frames(wire::from_server(wire::text, std::string(5000, 'x'), false));
  const auto end = chunk_of_frames(wire::from_server(wire::continuation, "y"));
  CHECK(x.link->send(begin) == send_status::queued);
  CHECK(x.link->send(end) == send_status::queued);
  t.session.flush();
  CHECK(x.owner.sent == begin.cost());
  REQUIRE(t.session.sent.size() == 2);
  t.session.drain(t.session.sent[0].cost());
  CHECK(x.owner.sent == begin.cost());
  t.session.drain(t.session.sent[1].cost());
  CHECK(x.owner.sent == begin.cost() + end.cost());
}

TEST_CASE("the connection isn't given more than it is about to send", "[multiplexer]") {
  hub_test t;
  auto& x = t.open();
  size_t given = 0;
  for (int i = 0; i < 100; ++i)
    CHECK(x.link->send(text_chunk(std::string(4000, 'x'))) == send_status::queued);
  t.session.flush();
  for (const auto& sent : t.session.sent)
    given += sent.cost();
  CHECK(given >= 64 << 10);
  CHECK(given <= 160 << 10);
  // As it leaves, more follows, and nobody has to ask.
  CHECK(t.take_sent().size() == 100);
}

TEST_CASE("channels take fair turns", "[multiplexer]") {
  hub_test t;
  auto& flood = t.open();
  auto& quiet = t.open();
  for (int i = 0; i < 1000; ++i)
    CHECK(flood.link->send(text_chunk(std::string(1000, 'f'))) == send_status::queued);
  t.session.flush();
  CHECK(quiet.link->send(text_chunk("q")) == send_status::queued);
  std::vector<framed> said;
  while (said.empty() || said.back().channel != 2) {
    auto part = to_peer(std::exchange(t.session.sent, {}));
    REQUIRE_FALSE(part.empty());
    for (auto& x : part) {
      said.push_back(x);
      if (x.channel == 2)
        break;
    }
    t.session.drain();
  }
  // What the connection had already, and a turn of the other's.
  CHECK(said.size() < 64 + 72 + 17 + 2);
  t.take_sent();
}

TEST_CASE("one that sends huge messages has fewer turns", "[multiplexer]") {
  hub_test t;
  auto& huge = t.open();
  auto& small = t.open();
  for (int i = 0; i < 4; ++i)
    CHECK(huge.link->send(text_chunk(std::string(60'000, 'h'))) == send_status::queued);
  for (int i = 0; i < 200; ++i)
    CHECK(small.link->send(text_chunk(std::string(1000, 's'))) == send_status::queued);
  size_t bytes[3] = {};
  int huge_ones = 0;
  for (const auto& x : t.turn()) {
    bytes[x.channel] += x.payload.size();
    if (x.channel == 1 && ++huge_ones == 3)
      break;
  }
  CHECK(bytes[2] > 80'000);
}

// -- closing --------------------------------------------------------------------------------------

TEST_CASE("a close follows what was sent", "[multiplexer]") {
  hub_test t;
  auto& x = t.open();
  CHECK(x.link->send(text_chunk("last")) == send_status::queued);
  x.link->close({end_reason::peer_closed, 4321, "bye"});
  CHECK(x.link->send(text_chunk("behind")) == send_status::ended);
  x.link.reset();
  CHECK(t.turn() == std::vector<framed>{{2, 1, "last"}, {4, 1, wire::close_payload(4321, "bye")}});
  CHECK(t.hub->channels() == 0);
  // What was under way meanwhile is late, and no fault.
  t.receive({{2, 1, "late"}, {5, 1, number(1)}, {4, 1, ""}});
  CHECK(t.hub->dropped() == 1);
  CHECK_FALSE(t.session.closed);
}

TEST_CASE("a link that is given up without a close is the broker's fault", "[multiplexer]") {
  hub_test t;
  t.open().link.reset();
  CHECK(t.turn()[0].payload.substr(0, 2) == wire::big_endian(1011, 2));
}

TEST_CASE("the shortest visit is told in full", "[multiplexer]") {
  hub_test t;
  t.turn();
  auto& x = t.add();
  t.bind(x);
  CHECK(x.link->send(text_chunk("hi")) == send_status::queued);
  x.link->close({end_reason::peer_closed, 1000, ""});
  x.link.reset();
  auto said = t.turn();
  REQUIRE(said.size() == 3);
  CHECK(said[0].type == 1);
  CHECK(said[1] == framed{2, 1, "hi"});
  CHECK(said[2] == framed{4, 1, wire::close_payload(1000)});
}

TEST_CASE("a channel that was never bound goes without a word", "[multiplexer]") {
  hub_test t;
  t.turn();
  auto& x = t.add();
  x.link->close(ending::by(end_reason::peer_lost));
  x.link.reset();
  CHECK(t.turn().empty());
  CHECK(t.hub->channels() == 0);
}

TEST_CASE("the peer never sees more channels than it takes", "[multiplexer]") {
  hub_test t{{.credit = 100, .slots = 1}};
  auto& first = t.open();
  CHECK(first.link->send(text_chunk(std::string(100, 'x'))) == send_status::queued);
  t.turn();
  // Out of credit: its last words wait, and with them its slot.
  CHECK(first.link->send(text_chunk("more")) == send_status::queued);
  first.link->close({end_reason::peer_closed, 1000, ""});
  auto& second = t.add();
  t.bind(second);
  CHECK(second.link->send(text_chunk("hello")) == send_status::queued);
  CHECK(t.turn().empty());
  t.receive({{5, 1, number(1000)}});
  auto said = t.turn();
  REQUIRE(said.size() == 4);
  CHECK(said[0] == framed{2, 1, "more"});
  CHECK(said[1] == framed{4, 1, wire::close_payload(1000)});
  CHECK(said[2].type == 1);
  CHECK(said[2].channel == 2);
  CHECK(said[3] == framed{2, 2, "hello"});
}

TEST_CASE("last words don't wait for credit for ever", "[multiplexer]") {
  hub_test t{{.credit = 10, .slots = 1, .patience = std::chrono::milliseconds{500}}};
  auto& x = t.open();
  CHECK(x.link->send(text_chunk("over")) == send_status::queued);
  t.turn();
  CHECK(x.link->send(text_chunk("lost")) == send_status::queued);
  x.link->close({end_reason::peer_closed, 1000, ""});
  x.link.reset();
  CHECK(t.turn().empty());
  t.w.advance(std::chrono::milliseconds{500});
  CHECK(t.turn() == std::vector<framed>{{4, 1, wire::close_payload(1000)}});
}

TEST_CASE("a lowered capacity keeps out none that is bound", "[multiplexer]") {
  hub_test t{{.slots = 2}};
  t.open();
  auto& x = t.add();
  t.receive({{6, 0, number(1)}});
  t.bind(x);
  CHECK(t.turn().size() == 1);
}

TEST_CASE("a connection that is closed sends what is queued first", "[multiplexer]") {
  hub_test t;
  auto& x = t.open();
  for (int i = 0; i < 100; ++i)
    CHECK(x.link->send(text_chunk(std::string(4000, 'x'))) == send_status::queued);
  t.hub->close(ending::by(end_reason::shutting_down));
  CHECK(t.session.closed->code == 1001);
  auto said = to_peer(t.session.sent);
  REQUIRE(said.size() == 101);
  CHECK(json::parse(said.back().payload) == json{{"event", "draining"}, {"grace", 0}});
  CHECK_FALSE(t.events.end);
  t.hub.reset();
  CHECK(x.owner.end->reason == end_reason::shutting_down);
}
