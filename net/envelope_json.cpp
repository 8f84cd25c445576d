#include "net/envelope_json.hpp"

#include "net/base64.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace tandem::net {

namespace {

using json = nlohmann::ordered_json;

/// Deeper than any message is, and far from what a parser's stack can hold.
constexpr int max_depth = 16;

struct named_type {
  std::string_view name;
  envelope_type type;
};

/// A message of the application's has one name, whatever is in it.
constexpr std::array types{
    named_type{"message", envelope_type::text},  named_type{"close", envelope_type::close},
    named_type{"credit", envelope_type::credit}, named_type{"capacity", envelope_type::capacity},
    named_type{"drain", envelope_type::drain},   named_type{"open", envelope_type::open},
    named_type{"event", envelope_type::event},
};

std::string_view name_of(envelope_type type) {
  for (const auto& x : types)
    if (x.type == type)
      return x.name;
  return "message";
}

ending malformed(std::string_view text) {
  return ending::by(end_reason::protocol_error, text);
}

/// A member that is a number of at most `most`; nothing if it isn't.
std::optional<uint32_t> number(const json& object, const char* name, uint64_t most = UINT32_MAX) {
  auto at = object.find(name);
  if (at == object.end() || !at->is_number_unsigned() || at->get<uint64_t>() > most)
    return std::nullopt;
  return static_cast<uint32_t>(at->get<uint64_t>());
}

std::optional<ending> read_message(json& object, envelope& to) {
  auto text = object.find("text");
  auto base64 = object.find("base64");
  if ((text == object.end()) == (base64 == object.end()))
    return malformed("a message has either text or base64");
  auto& value = text != object.end() ? *text : *base64;
  if (!value.is_string())
    return malformed("the payload of a message is no string");
  if (text != object.end()) {
    to.text = std::move(value.get_ref<std::string&>());
    return std::nullopt;
  }
  to.type = envelope_type::binary;
  auto bytes = from_base64(value.get_ref<const std::string&>());
  if (!bytes)
    return malformed("the payload of a message is no valid base64");
  to.text = std::move(*bytes);
  return std::nullopt;
}

std::optional<ending> read_close(json& object, envelope& to) {
  if (object.contains("code")) {
    auto code = number(object, "code", UINT16_MAX);
    if (!code || *code == 0)
      return malformed("the code of a close may not stand in a close frame");
    to.code = static_cast<uint16_t>(*code);
  }
  if (auto reason = object.find("reason"); reason != object.end()) {
    if (!reason->is_string())
      return malformed("the reason of a close is no string");
    to.text = std::move(reason->get_ref<std::string&>());
  }
  return judge_close(to.code, to.text);
}

std::optional<ending> read_amount(const json& object, const char* name, envelope& to) {
  auto amount = number(object, name);
  if (!amount)
    return malformed(std::string{"no number of 32 bits: "} + name);
  to.amount = *amount;
  return std::nullopt;
}

std::optional<ending> read_fields(json& object, envelope& to) {
  switch (to.type) {
  case envelope_type::text:
  case envelope_type::binary:
    return read_message(object, to);
  case envelope_type::close:
    return read_close(object, to);
  case envelope_type::credit:
    return read_amount(object, "bytes", to);
  case envelope_type::capacity:
    return read_amount(object, "slots", to);
  case envelope_type::drain:
  case envelope_type::open:
  case envelope_type::event:
    break;
  }
  return std::nullopt;
}

/// Null for what is no JSON, or nested too deeply.
json parse(std::string_view text) {
  bool too_deep = false;
  auto result = json::parse(
      text,
      [&](int depth, json::parse_event_t, json&) {
        too_deep = too_deep || depth > max_depth;
        return !too_deep;
      },
      false);
  return result.is_discarded() || too_deep ? json{} : result;
}

std::string text_of(const json& x) {
  return x.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string_view to_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// By names in lower case, as they are compared.
json headers_of(const peer_info& peer) {
  auto result = json::object();
  for (const auto& [name, value] : peer.headers) {
    std::string lower{name};
    for (auto& c : lower)
      c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    result[lower] = value;
  }
  return result;
}

json headed(envelope_type type, uint32_t channel) {
  json object{{"type", name_of(type)}};
  if (channel != 0)
    object["channel"] = channel;
  return object;
}

} // namespace

std::variant<envelope, ending> read_json_envelope(std::string_view text, role from) {
  auto object = parse(text);
  if (!object.is_object())
    return malformed("a message is no JSON object");
  auto type = object.find("type");
  if (type == object.end() || !type->is_string())
    return malformed("a message has no type");
  const auto& name = type->get_ref<const std::string&>();
  for (const auto& known : types) {
    if (known.name != name)
      continue;
    envelope result{.type = known.type};
    if (object.contains("channel")) {
      auto channel = number(object, "channel");
      if (!channel)
        return malformed("a channel is no number of 32 bits");
      result.channel = *channel;
    }
    if (const auto* wrong = judge_envelope(known.type, result.channel, from))
      return malformed(wrong);
    if (auto fault = read_fields(object, result))
      return *fault;
    return result;
  }
  return malformed("the type of a message isn't known");
}

std::string json_message(uint32_t channel, opcode op, std::span<const std::byte> payload) {
  auto object = headed(envelope_type::text, channel);
  if (op == opcode::text)
    object["text"] = to_text(payload);
  else
    object["base64"] = to_base64(payload);
  return text_of(object);
}

std::string json_close(uint32_t channel, uint16_t code, std::string_view reason) {
  auto object = headed(envelope_type::close, channel);
  if (code != 0) {
    object["code"] = code;
    object["reason"] = reason;
  }
  return text_of(object);
}

std::string json_credit(uint32_t channel, uint32_t bytes) {
  auto object = headed(envelope_type::credit, channel);
  object["bytes"] = bytes;
  return text_of(object);
}

std::string json_with_head(envelope_type type, uint32_t channel, std::string_view fields) {
  auto object = headed(type, channel);
  object.update(json::parse(fields));
  return text_of(object);
}

std::string open_fields(const peer_info& to, const peer_info& peer, uint64_t credit) {
  json object{{"key", peer.key}};
  if (to.side == role::client) {
    object["worker"] = peer.host != 0 ? peer.host : peer.id;
  } else {
    const auto question = std::min(peer.target.find('?'), peer.target.size());
    object["client"] = peer.id;
    object["path"] = peer.target.substr(0, question);
    object["query"] = peer.target.substr(std::min(question + 1, peer.target.size()));
    object["headers"] = headers_of(peer);
    object["remote"] = peer.remote;
    object["subprotocols"] = json::array();
    if (peer.frames == framing::raw && !peer.subprotocol.empty())
      object["subprotocols"].push_back(peer.subprotocol);
  }
  object["credit"] = credit;
  return text_of(object);
}

std::string welcome_fields(uint64_t connection, uint64_t heartbeat, uint64_t credit) {
  json object{{"event", "welcome"}, {"connection", connection}, {"heartbeat", heartbeat}};
  if (credit != 0)
    object["credit"] = credit;
  return text_of(object);
}

std::string waiting_fields(uint32_t position) {
  return text_of({{"event", "waiting"}, {"position", position}});
}

std::string peer_lost_fields(bool rematching) {
  return text_of({{"event", "peer-lost"}, {"rematching", rematching}});
}

std::string draining_fields(uint64_t grace) {
  return text_of({{"event", "draining"}, {"grace", grace}});
}

} // namespace tandem::net
