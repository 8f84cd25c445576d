#include "multiplexing.hpp"

#include <nlohmann/json.hpp>

using namespace tandem;
using namespace tandem::net;
using namespace tandem::test;

namespace {

using json = nlohmann::json;
using texts = std::vector<std::string>;

/// A framed connection with one peer at a time.
struct single_test {
  explicit single_test(framing frames = framing::binary, role side = role::client,
                       multiplexer_options options = {})
      : link{multiplexer::make_single(
            link_ptr{&session},
            share({.id = 4, .side = side, .key = "k", .remote = "r", .frames = frames}), options)} {
    link->allow(1000);
    link->start(owner);
  }

  void bind() {
    link->allow(4000);
    link->tell_bound(share({.id = 9, .side = role::worker, .key = "k", .remote = "r"}));
  }

  std::vector<framed> turn() {
    session.flush();
    auto result = to_peer(session.sent);
    session.sent.clear();
    session.drain();
    return result;
  }

  /// What a turn sends in tandem.json.v1.
  std::vector<json> json_turn() {
    session.flush();
    std::vector<json> result;
    for (const auto& x : std::exchange(session.sent, {})) {
      auto rest = wire::to_text(x.bytes());
      while (!rest.empty())
        result.push_back(json::parse(wire::take_frame(rest)->payload));
    }
    session.drain();
    return result;
  }

  world w;
  fake_link& session = w.make_link();
  channel_owner owner;
  link_ptr link;
};

} // namespace

TEST_CASE("a framed client is told all that becomes of it", "[multiplexer]") {
  single_test t;
  auto said = t.turn();
  REQUIRE(said.size() == 1);
  CHECK(json::parse(said[0].payload) ==
        json{{"event", "welcome"}, {"connection", 4}, {"heartbeat", 0}, {"credit", 1000}});
  t.link->tell_waiting(3);
  CHECK(t.turn() == std::vector<framed>{{8, 0, R"({"event":"waiting","position":3})"}});
  t.bind();
  CHECK(t.turn() == std::vector<framed>{{1, 1, R"({"key":"k","worker":9,"credit":3000})"}});
  t.link->tell_peer_lost(true);
  CHECK(t.turn() == std::vector<framed>{{8, 0, R"({"event":"peer-lost","rematching":true})"}});
}

TEST_CASE("events keep their place among the messages", "[multiplexer]") {
  single_test t;
  t.turn();
  t.bind();
  CHECK(t.link->send(text_chunk("of the first")) == send_status::queued);
  t.link->tell_peer_lost(false);
  t.bind();
  CHECK(t.link->send(text_chunk("of the second")) == send_status::queued);
  std::vector<int> types;
  for (const auto& x : t.turn())
    types.push_back(x.type);
  CHECK(types == std::vector<int>{1, 2, 8, 1, 2});
}

TEST_CASE("messages go both ways on channel 1", "[multiplexer]") {
  single_test t;
  t.turn();
  t.bind();
  t.turn();
  t.session.receive(from_peer({{2, 1, "to the worker"}}));
  CHECK(t.owner.messages() == texts{"text:to the worker"});
  auto frames = text_chunk("to the client");
  CHECK(t.link->send(frames) == send_status::queued);
  CHECK(t.turn() == std::vector<framed>{{2, 1, "to the client"}});
  CHECK(t.owner.sent == frames.cost());
  CHECK(t.link->stats().messages_in == 1);
  CHECK(t.link->stats().bytes_in == 13);
  CHECK(t.link->stats().bytes_out == 13);
}

TEST_CASE("messages may come ahead of the peer, as far as is allowed", "[multiplexer]") {
  single_test t;
  t.session.receive(from_peer({{2, 1, "early"}}));
  CHECK(t.owner.messages() == texts{"text:early"});
  CHECK(t.session.allowance == 1000 - static_cast<int64_t>(text_chunk("early").cost()));
  t.session.receive(from_peer({{2, 1, std::string(1000, 'x')}}));
  CHECK(t.session.allowance <= 0);
}

TEST_CASE("the channel's close comes ahead of the connection's", "[multiplexer]") {
  single_test t{framing::binary, role::client, {.credit = 10}};
  t.turn();
  t.bind();
  // What is left comes whatever credit there is.
  for (int i = 0; i < 3; ++i)
    CHECK(t.link->send(text_chunk("more than ten bytes")) == send_status::queued);
  CHECK(t.turn().size() == 2);
  t.link->close({end_reason::peer_closed, 4200, "gone"});
  CHECK(t.session.closed->code == 4200);
  CHECK(to_peer(t.session.sent) == std::vector<framed>{{2, 1, "more than ten bytes"},
                                                       {2, 1, "more than ten bytes"},
                                                       {4, 1, wire::close_payload(4200, "gone")}});
  CHECK(t.link->send(text_chunk("x")) == send_status::ended);
}

TEST_CASE("without a peer the connection closes without a channel's close", "[multiplexer]") {
  single_test t;
  t.turn();
  t.link->close(ending::by(end_reason::no_peer_in_time));
  CHECK(t.session.closed->code == 4100);
  CHECK(t.session.sent.empty());
}

TEST_CASE("the peer's close of the channel is that of the connection", "[multiplexer]") {
  single_test t;
  t.bind();
  t.session.receive(from_peer({{2, 1, "last"}, {4, 1, wire::close_payload(4001, "done")}}));
  CHECK(t.owner.messages() == texts{"text:last"});
  CHECK(t.owner.end->reason == end_reason::closed_by_peer);
  CHECK(t.owner.end->code == 4001);
  CHECK(t.session.closed->code == 4001);
  CHECK(t.session.closed->text == "done");
}

TEST_CASE("the connection's end is the channel's, word by word", "[multiplexer]") {
  single_test t;
  t.session.end({end_reason::closed_by_peer, 3000, "bye"});
  CHECK(t.owner.end->reason == end_reason::closed_by_peer);
  CHECK(t.owner.end->code == 3000);
  CHECK(t.link->send(text_chunk("x")) == send_status::ended);
  t.link.reset();
  CHECK(t.session.released);
}

TEST_CASE("a framed client's faults", "[multiplexer]") {
  auto fault = GENERATE(framed{2, 2, "x"}, framed{6, 0, "1234"}, framed{7, 0, ""});
  single_test t;
  t.session.receive(from_peer({fault}));
  CHECK(t.session.closed->code == 1002);
  CHECK(t.owner.end->reason == end_reason::protocol_error);
}

TEST_CASE("a link that is given up before its start frees all", "[multiplexer]") {
  world w;
  auto& session = w.make_link();
  multiplexer::make_single(link_ptr{&session},
                           share({.id = 4, .side = role::client, .key = "k", .remote = "r"}), {})
      .reset();
  CHECK(session.released);
}

TEST_CASE("pings and life are the connection's", "[multiplexer]") {
  single_test t;
  t.link->ping();
  CHECK(t.session.pings == 1);
  t.session.lives = 5;
  CHECK(t.link->life() == 5);
  t.link->allow(0);
  CHECK(t.link->paused());
  t.session.hang_up();
  CHECK(t.owner.hangups == 1);
}

TEST_CASE("tandem.json.v1 both ways", "[multiplexer]") {
  single_test t{framing::json, role::worker};
  CHECK(t.json_turn() == std::vector<json>{{{"type", "event"},
                                            {"event", "welcome"},
                                            {"connection", 4},
                                            {"heartbeat", 0},
                                            {"credit", 1000}}});
  t.bind();
  auto opened = t.json_turn();
  REQUIRE(opened.size() == 1);
  CHECK(opened[0]["type"] == "open");
  CHECK(opened[0]["channel"] == 1);
  auto frames = chunk_of_frames(wire::from_server(wire::text, "one", false) +
                                wire::from_server(wire::continuation, " two") +
                                wire::from_server(wire::binary, "\xFF"));
  CHECK(t.link->send(frames) == send_status::queued);
  CHECK(t.json_turn() ==
        std::vector<json>{{{"type", "message"}, {"channel", 1}, {"text", "one two"}},
                          {{"type", "message"}, {"channel", 1}, {"base64", "/w=="}}});
  CHECK(t.owner.sent == frames.cost());
  t.session.receive(chunk_of_frames(
      wire::from_server(wire::text, R"({"type":"message","channel":1,"text":"a"})") +
      wire::from_server(wire::text, R"({"type":"message","channel":1,"base64":"/w=="})")));
  CHECK(t.owner.messages() == texts{"text:a", "binary:\xFF"});
}
