#include "actors/messages.hpp"

#include "support/probe.hpp"

#include <caf/binary_deserializer.hpp>
#include <caf/binary_serializer.hpp>

using namespace tandem;
using namespace tandem::test;

namespace {

// A field that is added to a message doesn't compile here: it belongs into these tests.

auto values(const net::deflate_params& x) {
  const auto& [agreed, client_window_bits, server_window_bits, client_keeps, server_keeps] = x;
  return std::tuple{agreed, client_window_bits, server_window_bits, client_keeps, server_keeps};
}

auto values(const peer_info& x) {
  const auto& [id, side, key, remote, deflate, subprotocol, subject, route, frames, capacity, host,
               sticky, priority, credit, target, headers] = x;
  return std::tuple{id,     side,     key,  remote, values(deflate), subprotocol, subject, route,
                    frames, capacity, host, sticky, priority,        credit,      target,  headers};
}

auto values(const claim& x) {
  const auto& [ticket, side, key, subprotocols, route, frames, capacity, sticky, priority] = x;
  return std::tuple{ticket, side, key, subprotocols, route, frames, capacity, sticky, priority};
}

auto values(const verdict& x) {
  const auto& [ticket, why, detail, subprotocol, home] = x;
  return std::tuple{ticket, why, detail, subprotocol, home};
}

auto values(const ending& x) {
  const auto& [reason, code, text, cut] = x;
  return std::tuple{reason, code, text, cut};
}

auto values(const peer_ref& x) {
  const auto& [who, handle] = x;
  return std::tuple{values(*who), handle};
}

auto values(const member& x) {
  const auto& [who, handle, peer, home] = x;
  return std::tuple{values(*who), handle, peer, home};
}

auto values(const channel_ref& x) {
  const auto& [id, handle] = x;
  return std::tuple{id, handle};
}

auto values(const host_member& x) {
  const auto& [who, handle, capacity, home, draining, channels] = x;
  std::vector<decltype(values(channel_ref{}))> all;
  for (const auto& channel : channels)
    all.push_back(values(channel));
  return std::tuple{values(*who), handle, capacity, home, draining, all};
}

auto values(const connected& x) {
  const auto& [who] = x;
  return values(who);
}

auto values(const paired& x) {
  const auto& [key, client, worker] = x;
  return std::tuple{key, client, worker};
}

auto values(const unpaired& x) {
  const auto& [key, client, worker] = x;
  return std::tuple{key, client, worker};
}

auto values(const disconnected& x) {
  const auto& [who, how] = x;
  return std::tuple{values(who), values(how)};
}

auto values(const net::chunk& x) {
  return text_of(x);
}

template <class T>
requires std::is_enum_v<T> T values(T x) {
  return x;
}

template <class T>
T through_the_wire(caf::actor_system& system, const T& x) {
  std::vector<char> wire;
  caf::scoped_execution_unit context{&system};
  caf::binary_serializer out{&context, wire};
  REQUIRE_FALSE(out(x));
  T result{};
  caf::binary_deserializer in{&context, wire};
  REQUIRE_FALSE(in(result));
  return result;
}

constexpr net::deflate_params agreed{true, 9, 12, false, true};

const peer_info someone{71,
                        role::worker,
                        "a key/\xC3\xA9",
                        "[::1]:4711",
                        agreed,
                        "chat",
                        "CN=worker-7",
                        3,
                        framing::json,
                        64,
                        70,
                        0xFEDCBA9876543210,
                        -5,
                        1 << 20,
                        "/client/a?b=c",
                        {{"Origin", "https://a.example"}, {"X-User", ""}}};

template <class T>
T sample() {
  if constexpr (std::is_same_v<T, end_reason>)
    return end_reason::vanished;
  else
    return T{};
}

template <caf::type_id_t Id>
void check_message(caf::actor_system& system) {
  using type = typename caf::type_by_id<caf::first_custom_type_id + Id>::type;
  INFO(caf::type_name<type>::value);
  auto message = caf::make_message(sample<type>());
  CHECK(message.template match_elements<type>());
  CHECK_FALSE(caf::to_string(message).empty());
  auto copy = through_the_wire(system, message);
  CHECK(copy.template match_elements<type>());
  CHECK(values(copy.template get_as<type>(0)) == values(message.template get_as<type>(0)));
}

} // namespace

TEMPLATE_TEST_CASE("a message arrives as it was sent", "[messages]", peer_info, claim, verdict,
                   peer_ref, member, channel_ref, host_member, connected, paired, unpaired,
                   disconnected, ending) {
  world w;
  probe other{w};
  auto handle = other.as<connection_actor>();
  const auto samples = std::tuple{
      someone,
      claim{72, role::worker, "key", {"chat", "mqtt"}, 3, framing::binary, 64, 80, 81},
      verdict{73, refusal::key_taken, "this key already has a client", "chat", 5},
      peer_ref{share(someone), handle},
      member{share(someone), handle, 75, 2},
      channel_ref{82, handle},
      host_member{
          share(someone), other.as<host_actor>(), 64, 2, true, {{82, handle}, {83, handle}}},
      connected{someone},
      paired{"key", 76, 77},
      unpaired{"key", 78, 79},
      disconnected{someone, {end_reason::stalled, 4101, "too slow", true}},
      ending{end_reason::peer_closed, 3000, "bye", true},
  };
  const auto& sent = std::get<TestType>(samples);
  CHECK(values(through_the_wire(w.system(), sent)) == values(sent));
}

TEST_CASE("a chunk arrives as it was sent", "[messages]") {
  world w;
  for (const auto& bytes :
       {std::string{}, std::string{"\x82\x03\0\xFF\x01", 5}, std::string(70'000, 'x')})
    CHECK(text_of(through_the_wire(w.system(), chunk_of(bytes))) == bytes);
}

TEST_CASE("every type of the block can stand in a message", "[messages]") {
  world w;
  [&]<caf::type_id_t... Ids>(std::integer_sequence<caf::type_id_t, Ids...>) {
    (check_message<Ids>(w.system()), ...);
  }
  (std::make_integer_sequence<caf::type_id_t,
                              caf::id_block::tandem::end - caf::id_block::tandem::begin>{});
}

TEST_CASE("a log never shows a payload", "[messages]") {
  auto shown = caf::to_string(caf::make_message(atom::forward::value, chunk_of("secret")));
  CHECK(shown.find("secret") == std::string::npos);
}
