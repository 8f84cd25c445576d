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
  const auto& [id, side, key, remote, deflate, subprotocol, subject] = x;
  return std::tuple{id, side, key, remote, values(deflate), subprotocol, subject};
}

auto values(const claim& x) {
  const auto& [ticket, side, key, subprotocols] = x;
  return std::tuple{ticket, side, key, subprotocols};
}

auto values(const verdict& x) {
  const auto& [ticket, why, detail, subprotocol] = x;
  return std::tuple{ticket, why, detail, subprotocol};
}

auto values(const ending& x) {
  const auto& [reason, code, text, cut] = x;
  return std::tuple{reason, code, text, cut};
}

auto values(const peer_ref& x) {
  const auto& [id, handle, deflate] = x;
  return std::tuple{id, handle, values(deflate)};
}

auto values(const member& x) {
  const auto& [who, handle, peer] = x;
  return std::tuple{values(*who), handle, peer};
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

const peer_info someone{71,     role::worker, "a key/\xC3\xA9", "[::1]:4711",
                        agreed, "chat",       "CN=worker-7"};

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
                   peer_ref, member, connected, paired, unpaired, disconnected, ending) {
  world w;
  probe other{w};
  auto handle = other.as<connection_actor>();
  const auto samples = std::tuple{
      someone,
      claim{72, role::worker, "key", {"chat", "mqtt"}},
      verdict{73, refusal::key_taken, "this key already has a client", "chat"},
      peer_ref{74, handle, {true, 8, 15, true, false}},
      member{share(someone), handle, 75},
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
