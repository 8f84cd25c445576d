/// What a stream of frames means, worked out in the plainest way, with all of the stream at hand.
#pragma once

#include "actors/error.hpp"
#include "wire.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace tandem::wire {

struct message {
  uint8_t opcode = text;
  std::string payload;

  bool operator==(const message&) const = default;
};

struct control {
  uint8_t opcode = ping;
  /// Of a close frame, the reason.
  std::string payload;
  /// Of a close frame; 0 if it has none.
  uint16_t code = 0;
  /// How many messages ended ahead of it.
  size_t messages_before = 0;

  bool operator==(const control&) const = default;
};

struct outcome {
  std::vector<message> messages;
  std::vector<control> controls;
  std::optional<end_reason> fault;
  /// What is there of a message that didn't end.
  std::optional<message> unfinished;
};

// For Catch, which shows what differs.
inline std::ostream& operator<<(std::ostream& out, const message& x) {
  return out << "opcode " << +x.opcode << ", " << x.payload.size() << " bytes: \""
             << std::string_view{x.payload}.substr(0, 40) << '"';
}

inline std::ostream& operator<<(std::ostream& out, const control& x) {
  return out << "opcode " << +x.opcode << ", code " << x.code << ", " << x.payload.size()
             << " bytes, behind " << x.messages_before << " messages";
}

/// The bytes of the UTF-8 character that `in` begins with, by the table of RFC 3629's section 4; 0
/// if there is none.
inline size_t utf8_character(std::string_view in) {
  auto at = [&in](size_t i) -> unsigned {
    return i < in.size() ? static_cast<unsigned char>(in[i]) : 0x100;
  };
  auto within = [](unsigned x, unsigned low, unsigned high) { return x >= low && x <= high; };
  auto tail = [&](size_t i) { return within(at(i), 0x80, 0xBF); };
  const auto first = at(0);
  if (first <= 0x7F)
    return 1;
  if (within(first, 0xC2, 0xDF) && tail(1))
    return 2;
  if (((first == 0xE0 && within(at(1), 0xA0, 0xBF)) || (within(first, 0xE1, 0xEC) && tail(1)) ||
       (first == 0xED && within(at(1), 0x80, 0x9F)) || (within(first, 0xEE, 0xEF) && tail(1))) &&
      tail(2))
    return 3;
  if (((first == 0xF0 && within(at(1), 0x90, 0xBF)) || (within(first, 0xF1, 0xF3) && tail(1)) ||
       (first == 0xF4 && within(at(1), 0x80, 0x8F))) &&
      tail(2) && tail(3))
    return 4;
  return 0;
}

/// What is left of `in` behind the valid characters that it begins with.
inline std::string_view skip_utf8(std::string_view in) {
  while (!in.empty()) {
    auto n = utf8_character(in);
    if (n == 0)
      break;
    in.remove_prefix(n);
  }
  return in;
}

inline bool is_utf8(std::string_view in) {
  return skip_utf8(in).empty();
}

/// True if `in` is the beginning of some valid text.
inline bool can_become_utf8(std::string_view in) {
  auto rest = skip_utf8(in);
  if (rest.empty())
    return true;
  // Every range of a second, third or fourth byte begins or ends with one of these.
  auto completes = [](auto&& self, const std::string& tail) -> bool {
    if (utf8_character(tail) == tail.size())
      return true;
    return tail.size() < 4 && std::ranges::any_of(std::string_view{"\x80\x8F\x90\x9F\xA0\xBF"},
                                                  [&](char c) { return self(self, tail + c); });
  };
  return rest.size() < 4 && completes(completes, std::string{rest});
}

inline bool may_close_with(uint16_t code) {
  return (code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006) ||
         (code >= 3000 && code <= 4999);
}

/// True if a head breaks RFC 6455, section 5, given that a message is open or not.
inline bool breaks_protocol(const frame& x, bool is_client, bool open) {
  const bool is_control = x.opcode >= 8;
  const auto shortest = *x.length < 126 ? 0 : *x.length <= 0xFFFF ? 2 : 8;
  return x.reserved != 0 || (x.opcode > 2 && x.opcode < 8) || x.opcode > 10 ||
         x.mask.has_value() != is_client || x.length_size != shortest || *x.length >> 63 != 0 ||
         (is_control ? !x.fin || *x.length > 125 : (x.opcode == continuation) != open);
}

/// Reads one direction of a connection from its begin on.
class reference {
public:
  reference(bool is_client, uint64_t max_message)
      : is_client_{is_client}, max_message_{max_message} {}

  outcome read(std::string_view in) {
    while (auto head = take_head(in)) {
      if (breaks_protocol(*head, is_client_, result_.unfinished.has_value())) {
        result_.fault = end_reason::protocol_error;
        break;
      }
      auto payload = in.substr(0, *head->length);
      in.remove_prefix(payload.size());
      head->payload = head->mask ? masked(payload, *head->mask) : payload;
      if (head->opcode >= 8 ? !read_control(*head) : !read_data(*head))
        break;
    }
    return std::move(result_);
  }

private:
  /// False if the stream ends here.
  bool read_control(const frame& x) {
    if (x.payload.size() < *x.length)
      return false;
    if (x.opcode == close)
      return read_close(x.payload);
    result_.controls.push_back({x.opcode, x.payload, 0, result_.messages.size()});
    return true;
  }

  bool read_close(std::string_view payload) {
    auto code = static_cast<uint16_t>(read_big_endian(payload.substr(0, 2)));
    auto reason = payload.substr(std::min<size_t>(2, payload.size()));
    if (!payload.empty() && (payload.size() == 1 || !may_close_with(code)))
      result_.fault = end_reason::protocol_error;
    else if (!is_utf8(reason))
      result_.fault = end_reason::invalid_utf8;
    else
      result_.controls.push_back({close, std::string{reason}, code, result_.messages.size()});
    return false;
  }

  bool read_data(const frame& x) {
    if (!result_.unfinished)
      result_.unfinished = message{x.opcode, {}};
    auto& open = *result_.unfinished;
    if (*x.length > max_message_ - open.payload.size()) {
      result_.fault = end_reason::too_big;
      return false;
    }
    open.payload += x.payload;
    const bool ends = x.fin && x.payload.size() == *x.length;
    if (open.opcode == text && !(ends ? is_utf8(open.payload) : can_become_utf8(open.payload))) {
      result_.fault = end_reason::invalid_utf8;
      return false;
    }
    if (ends) {
      result_.messages.push_back(std::move(open));
      result_.unfinished.reset();
    }
    return x.payload.size() == *x.length;
  }

  bool is_client_;
  uint64_t max_message_;
  outcome result_;
};

} // namespace tandem::wire
