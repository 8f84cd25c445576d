#include "actors/error.hpp"

#include "actors/fwd.hpp"

#include <caf/message.hpp>
#include <caf/to_string.hpp>

#include <array>

namespace tandem {

namespace {

constexpr std::array<end_reason_row, end_reason_count> end_reasons{{
    {end_reason::closed_by_peer, "closed_by_peer", 1000, ""},
    {end_reason::vanished, "vanished", 0, "the connection ended without a closing handshake"},
    {end_reason::shutting_down, "shutting_down", 1001, "the broker is shutting down"},
    {end_reason::protocol_error, "protocol_error", 1002, "protocol error"},
    {end_reason::invalid_utf8, "invalid_utf8", 1007, "a text message is not valid UTF-8"},
    {end_reason::invalid_deflate, "invalid_deflate", 1007,
     "the compressed data of a message is not valid"},
    {end_reason::too_big, "too_big", 1009, "the message is larger than max-message-size"},
    {end_reason::broker_fault, "broker_fault", 1011, "a fault inside the broker"},
    {end_reason::replaced, "replaced", 4000, "replaced by a newer connection with the same key"},
    {end_reason::no_peer_in_time, "no_peer_in_time", 4100, "no peer came within pair-timeout"},
    {end_reason::stalled, "stalled", 4101, "too slow: nothing was read for stall-timeout"},
    {end_reason::peer_closed, "peer_closed", 1000, "the peer closed"},
    {end_reason::peer_lost, "peer_lost", 4200, "the peer's connection was lost"},
    {end_reason::heartbeat_missed, "heartbeat_missed", 4201,
     "no answer to a ping within heartbeat.timeout"},
    {end_reason::overloaded, "overloaded", 1013,
     "the broker holds too many bytes: try again later"},
    {end_reason::no_worker_in_time, "no_worker_in_time", 1013,
     "no worker was free within wait-timeout: try again later"},
    {end_reason::drained, "drained", 1000, "drained: the last client has gone"},
}};

constexpr std::array<refusal_row, refusal_count> refusals{{
    {refusal::none, "none", 101, 0},
    {refusal::bad_request, "bad_request", 400, 0},
    {refusal::unknown_route, "unknown_route", 404, 0},
    {refusal::bad_method, "bad_method", 400, 0},
    {refusal::key_taken, "key_taken", 409, 0},
    {refusal::not_a_websocket, "not_a_websocket", 426, 0},
    {refusal::bad_version, "bad_version", 426, 0},
    {refusal::head_too_large, "head_too_large", 431, 0},
    {refusal::timed_out, "timed_out", 408, 0},
    {refusal::draining, "draining", 503, 5},
    {refusal::broker_fault, "broker_fault", 500, 0},
    {refusal::too_fast, "too_fast", 429, 1},
    {refusal::too_many_from_address, "too_many_from_address", 429, 5},
    {refusal::full, "full", 503, 5},
    {refusal::overloaded, "overloaded", 503, 5},
    {refusal::untrusted_proxy, "untrusted_proxy", 0, 0},
    {refusal::bad_proxy_header, "bad_proxy_header", 0, 0},
    {refusal::tls_failed, "tls_failed", 0, 0},
    {refusal::queue_full, "queue_full", 503, 5},
}};

const caf::atom_value category = caf::atom("ending");

} // namespace

const end_reason_row& describe(end_reason reason) noexcept {
  return end_reasons[static_cast<size_t>(reason) - 1];
}

const refusal_row& describe(refusal why) noexcept {
  return refusals[static_cast<size_t>(why)];
}

std::string to_string(end_reason reason) {
  return std::string{describe(reason).name};
}

ending ending::by(end_reason reason, std::string_view text) {
  const auto& row = describe(reason);
  return {reason, row.code, std::string{text.empty() ? row.text : text}, false};
}

caf::error make_error(const ending& how) {
  return {static_cast<uint8_t>(how.reason), category,
          caf::make_message(how.code, how.text, how.cut)};
}

ending ending_of(const caf::error& reason) {
  // A default error, which is how an actor ends in good order, has neither category nor context.
  if (reason && reason.category() == category &&
      reason.context().match_elements<uint16_t, std::string, bool>())
    return {static_cast<end_reason>(reason.code()), reason.context().get_as<uint16_t>(0),
            reason.context().get_as<std::string>(1), reason.context().get_as<bool>(2)};
  return ending::by(end_reason::broker_fault, caf::to_string(reason).substr(0, 123));
}

} // namespace tandem
