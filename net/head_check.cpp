#include "net/head_check.hpp"

namespace tandem::net {

std::optional<route_fault> head_check::feed(std::string_view bytes) {
  for (auto c : bytes) {
    if (ended_)
      break;
    if (const auto* fault = fault_of(c))
      return route_fault{refusal::bad_request, fault};
    last_ = c;
    if (c != '\n') {
      ++column_;
      continue;
    }
    // A line of nothing but its CR ends the head.
    ended_ = column_ == 1;
    column_ = 0;
    ++lines_;
    if (!ended_ && lines_ > 1 + max_request_fields)
      return route_fault{refusal::head_too_large, "the request has more than " +
                                                      std::to_string(max_request_fields) +
                                                      " header fields"};
  }
  return std::nullopt;
}

/// What is wrong with `c` as the next byte, or null.
const char* head_check::fault_of(char c) const noexcept {
  const auto byte = static_cast<unsigned char>(c);
  if (last_ == '\r' && c != '\n')
    return "the request's head has a CR without an LF";
  if (c == '\n')
    return last_ == '\r' ? nullptr : "the request's head has an LF without a CR";
  if (c == '\r')
    return nullptr;
  // RFC 8446, section 5.1.
  if (byte == 0x16 && column_ == 0 && lines_ == 0)
    return "this listener doesn't take TLS: use ws:// or http://";
  if ((byte < 0x20 && c != '\t') || byte == 0x7F)
    return "the request's head has a control character";
  if (column_ == 0 && lines_ > 0 && (c == ' ' || c == '\t'))
    return "the request's head has a line that begins with a blank";
  return nullptr;
}

} // namespace tandem::net
