#include "net/control_frame.hpp"

#include <array>
#include <cstring>

namespace tandem::net {

void append_control(chunk_builder& to, opcode op, std::span<const std::byte> payload) {
  std::array<std::byte, max_head_size> head;
  auto n = write_head({.op = op, .fin = true, .reserved = 0, .length = payload.size(), .mask = {}},
                      head.data());
  to.append(std::span{head}.first(n));
  to.append(payload);
}

chunk make_close_frame(uint16_t code, std::string_view reason) {
  std::array<std::byte, max_control_payload> payload;
  size_t length = 0;
  if (code != 0) {
    reason = reason.substr(0, max_control_payload - 2);
    payload[0] = static_cast<std::byte>(code >> 8);
    payload[1] = static_cast<std::byte>(code & 0xFF);
    std::memcpy(payload.data() + 2, reason.data(), reason.size());
    length = 2 + reason.size();
  }
  chunk_builder frame;
  append_control(frame, opcode::close, std::span{payload}.first(length));
  return frame.seal();
}

} // namespace tandem::net
