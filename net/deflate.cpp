#include "net/deflate.hpp"

namespace tandem::net {

std::string to_string(const deflate_params& x) {
  if (!x.agreed)
    return "off";
  auto side = [](int bits, bool keeps_context) {
    return std::to_string(bits) + (keeps_context ? "" : "/no-context");
  };
  return "in:" + side(x.client_window_bits, x.client_keeps_context) +
         ",out:" + side(x.server_window_bits, x.server_keeps_context);
}

} // namespace tandem::net
