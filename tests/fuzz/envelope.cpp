// Any bytes as what a framed peer sends. The first byte chooses the subprotocol and the peer's
// side, the second how its messages are cut into frames; the rest are its messages, each behind its
// length in two bytes. Whatever the cuts, the same has to come out, and what the codec writes of it
// has to be read as the same again.
#include "net/envelope.hpp"

#include "net/envelope_json.hpp"
#include "net/envelope_reader.hpp"
#include "net/wire.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

using namespace tandem;

namespace {

constexpr uint64_t max_message = 2000;

/// A message of a channel's, whole or as far as it came, or one that isn't data.
struct item {
  net::envelope what;
  bool whole = true;

  bool operator==(const item& x) const {
    return what.type == x.what.type && what.channel == x.what.channel &&
           what.amount == x.what.amount && what.code == x.what.code && what.text == x.what.text &&
           whole == x.whole;
  }
};

struct result {
  std::vector<item> items;
  std::optional<end_reason> fault;
};

void add(std::vector<item>& to, const net::envelope_reader::piece& x) {
  const bool goes_on = !to.empty() && !to.back().whole;
  wire::expect(goes_on == !x.first, "a message begins inside another, or goes on without one");
  wire::expect(x.last || !x.payload.empty(), "an empty piece");
  if (x.first)
    to.push_back(
        {{.type = x.op == net::opcode::text ? net::envelope_type::text : net::envelope_type::binary,
          .channel = x.channel},
         false});
  wire::expect(to.back().what.channel == x.channel, "a message changes its channel");
  to.back().what.text += wire::to_text(x.payload);
  to.back().whole = x.last;
}

/// Reads chunks of whole frames.
result read(net::envelope_reader reader, const std::vector<std::string>& chunks) {
  using event = net::envelope_reader::event;
  result found;
  for (const auto& x : chunks) {
    reader.feed(std::as_bytes(std::span{x}));
    for (auto what = reader.next(); what != event::starved; what = reader.next()) {
      if (what == event::violation) {
        wire::expect(!reader.fault().text.empty() && reader.fault().text.size() <= 123,
                     "a fault that no close frame can name");
        found.fault = reader.fault().reason;
        return found;
      }
      if (what == event::data)
        add(found.items, reader.data());
      else
        found.items.push_back({reader.control()});
    }
  }
  return found;
}

std::vector<std::string> messages_of(std::string_view bytes) {
  std::vector<std::string> result;
  while (bytes.size() >= 2) {
    const auto size = std::min<size_t>(wire::read_big_endian(bytes.substr(0, 2)), bytes.size() - 2);
    result.emplace_back(bytes.substr(2, size));
    bytes.remove_prefix(2 + size);
  }
  return result;
}

/// What the codec writes of it.
std::string written(framing frames, const item& x) {
  net::chunk_builder out;
  const auto text = std::as_bytes(std::span{x.what.text});
  switch (x.what.type) {
  case net::envelope_type::text:
    net::append_message(out, frames, x.what.channel, net::opcode::text, text);
    break;
  case net::envelope_type::binary:
    net::append_message(out, frames, x.what.channel, net::opcode::binary, text);
    break;
  case net::envelope_type::close:
    net::append_close(out, frames, x.what.channel, x.what.code, x.what.text);
    break;
  case net::envelope_type::credit:
    net::append_credit(out, frames, x.what.channel, x.what.amount);
    break;
  default:
    break;
  }
  return std::string{wire::to_text(out.seal().bytes())};
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2)
    return 0;
  const auto frames = (data[0] & 1) != 0 ? framing::json : framing::binary;
  const auto from = (data[0] & 2) != 0 ? role::client : role::worker;
  // One message in eight isn't of the kind that the subprotocol has.
  const bool wrong_kind = (data[0] & 0x1C) == 0x1C;
  const uint8_t op = (frames == framing::json) != wrong_kind ? wire::text : wire::binary;
  std::minstd_rand random{data[1]};
  std::vector<std::string> whole;
  std::vector<std::string> cut;
  for (const auto& x : messages_of({reinterpret_cast<const char*>(data) + 2, size - 2})) {
    whole.push_back(wire::from_server(op, x));
    for (size_t at = 0, n = 0; at == 0 || at < x.size(); at += n) {
      n = at == x.size() ? 1 : std::min<size_t>(x.size() - at, 1 + random() % 20);
      cut.push_back(wire::from_server(at == 0 ? op : wire::continuation, x.substr(at, n),
                                      at + n >= x.size()));
      n = std::max<size_t>(n, 1);
    }
  }
  const net::envelope_reader reader{frames, from, max_message};
  const auto plain = read(reader, whole);
  const auto pieces = read(reader, cut);
  wire::expect(plain.fault == pieces.fault, "it matters to the fault how messages are cut");
  // Of text that isn't valid, what came before the fault may be out already.
  auto begun = pieces.items;
  if (plain.fault && !begun.empty() && !begun.back().whole)
    begun.pop_back();
  wire::expect(plain.items == begun, "it matters how messages are cut");

  for (const auto& x : plain.items) {
    wire::expect(x.whole, "a message without an end");
    for (auto to : {framing::binary, framing::json}) {
      const auto again = written(to, x);
      if (again.empty())
        continue;
      auto back = read(net::envelope_reader{to, role::worker, UINT64_MAX}, {again});
      wire::expect(!back.fault && back.items == std::vector{x},
                   "what is written isn't what was read");
    }
  }
  return 0;
}
