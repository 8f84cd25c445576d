/// A request's head, looked at byte by byte as it comes.
#pragma once

#include "net/route.hpp"

#include <cstddef>
#include <optional>
#include <string_view>

namespace tandem::net {

/// The most header fields of a request.
inline constexpr size_t max_request_fields = 100;

/// Finds what RFC 9112 forbids and parsers take in different ways, which is how requests are
/// smuggled past a proxy: bare CRs and LFs, folded lines, control characters (sections 2.2 and
/// 5.2). And a head that has too many fields. It needs no more than it was given so far, so that
/// such a head is refused at once instead of at its deadline.
class head_check {
public:
  /// Takes the next bytes, of which those behind the head don't matter. Returns what is wrong, if
  /// anything is; after that the check is of no more use.
  std::optional<route_fault> feed(std::string_view bytes);

private:
  const char* fault_of(char c) const noexcept;

  char last_ = '\n';
  /// Bytes of the line so far.
  size_t column_ = 0;
  /// Lines that have ended, the request line among them.
  size_t lines_ = 0;
  bool ended_ = false;
};

} // namespace tandem::net
