/// DEFLATE as the two ends of a connection do it, by zlib alone, with all of a message at hand.
#pragma once

#include "wire.hpp"

#include <stdexcept>
#include <string>
#include <string_view>
#include <zlib.h>

namespace tandem::wire {

inline constexpr std::string_view flush_tail{"\x00\x00\xFF\xFF", 4};

/// How an end compresses: as RFC 7692, section 7.2.1, has it.
class message_deflater {
public:
  explicit message_deflater(int bits = 15, bool keeps_context = true, int level = 6)
      : keeps_context_{keeps_context} {
    expect(deflateInit2(&stream_, level, Z_DEFLATED, -bits, 8, Z_DEFAULT_STRATEGY) == Z_OK,
           "deflateInit2");
  }
  ~message_deflater() { deflateEnd(&stream_); }
  message_deflater(const message_deflater&) = delete;

  /// The payload of a compressed message.
  std::string operator()(std::string_view text) {
    if (text.empty())
      return std::string(1, '\0');
    std::string out(deflateBound(&stream_, text.size()) + 64, '\0');
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream_.avail_in = static_cast<uInt>(text.size());
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = static_cast<uInt>(out.size());
    expect(deflate(&stream_, Z_SYNC_FLUSH) == Z_OK && stream_.avail_out > 0, "deflate");
    out.resize(out.size() - stream_.avail_out);
    expect(out.ends_with(flush_tail), "a flush ends with an empty block");
    out.resize(out.size() - flush_tail.size());
    if (!keeps_context_)
      deflateReset(&stream_);
    return out;
  }

private:
  z_stream stream_{};
  bool keeps_context_;
};

/// How an end decompresses: section 7.2.2. Its window is no larger than agreed, so that a message
/// that needs more is a std::logic_error, as is any other fault.
class message_inflater {
public:
  explicit message_inflater(int bits = 15, bool keeps_context = true)
      : keeps_context_{keeps_context} {
    expect(inflateInit2(&stream_, -bits) == Z_OK, "inflateInit2");
  }
  ~message_inflater() { inflateEnd(&stream_); }
  message_inflater(const message_inflater&) = delete;

  std::string operator()(std::string payload) {
    payload += flush_tail;
    std::string out;
    stream_.next_in = reinterpret_cast<Bytef*>(payload.data());
    stream_.avail_in = static_cast<uInt>(payload.size());
    char buffer[4096];
    do {
      stream_.next_out = reinterpret_cast<Bytef*>(buffer);
      stream_.avail_out = sizeof buffer;
      auto result = inflate(&stream_, Z_SYNC_FLUSH);
      expect(result == Z_OK || result == Z_BUF_ERROR, "a message isn't DEFLATE");
      out.append(buffer, sizeof buffer - stream_.avail_out);
    } while (stream_.avail_out == 0);
    expect(stream_.avail_in == 0 && (stream_.data_type & 128) != 0, "a message ends in a block");
    if (!keeps_context_)
      inflateReset(&stream_);
    return out;
  }

private:
  z_stream stream_{};
  bool keeps_context_;
};

} // namespace tandem::wire
