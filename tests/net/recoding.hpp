/// Drives a recoder as an actor does, and checks what always holds of it.
#pragma once

#include "net/recoder.hpp"
#include "wire.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tandem::net {

/// A message on the wire.
struct coded_message {
  uint8_t opcode = wire::text;
  bool compressed = false;
  std::string payload;

  bool operator==(const coded_message&) const = default;
};

inline constexpr uint8_t rsv1 = 4;

/// The frames of a message, headed as a server heads them: a fragment for each of `fragments`.
inline std::string frames_of(uint8_t opcode, bool compressed,
                             const std::vector<std::string>& fragments) {
  std::string out;
  for (size_t i = 0; i < fragments.size(); ++i)
    out += wire::encode({.opcode = i == 0 ? opcode : wire::continuation,
                         .payload = fragments[i],
                         .fin = i + 1 == fragments.size(),
                         .reserved = i == 0 && compressed ? rsv1 : uint8_t{0}});
  return out;
}

inline std::string frame_of(const coded_message& x) {
  return frames_of(x.opcode, x.compressed, {x.payload});
}

class recoding {
public:
  recoding(const deflate_params& from, const deflate_params& to, recoder_options options = {})
      : recoder_{std::make_unique<recoder>(from, to, options)}, options_{options} {}

  /// A chunk of whole frames comes in.
  void push(std::string_view frames) {
    auto before = recoder_->held();
    auto chunk = make_chunk(std::as_bytes(std::span{frames}));
    auto cost = chunk.cost();
    recoder_->push(std::move(chunk));
    wire::expect(recoder_->held() == before + cost, "a chunk isn't held");
  }

  /// One call of next(). False if nothing is left to do.
  bool step() {
    if (recoder_->at_rest())
      return false;
    auto held = recoder_->held();
    auto out = recoder_->next();
    wire::expect(recoder_->held() <= held, "more is held than was pushed");
    wire::expect(out.bytes().size() <= options_.piece, "a piece is too large");
    take(wire::to_text(out.bytes()));
    wire::expect(recoder_->inside_message() == open_.has_value(), "inside_message() is wrong");
    ++steps_;
    return true;
  }

  recoding& run() {
    while (step()) {
    }
    wire::expect(recoder_->fault() || recoder_->held() == 0, "a recoder at rest holds something");
    return *this;
  }

  const std::vector<coded_message>& messages() const { return messages_; }
  const std::optional<coded_message>& unfinished() const { return open_; }
  size_t steps() const { return steps_; }
  const recoder& subject() const { return *recoder_; }

  std::optional<end_reason> fault() const {
    return recoder_->fault() ? std::optional{recoder_->fault()->reason} : std::nullopt;
  }

private:
  void take(std::string_view frames) {
    while (!frames.empty()) {
      auto x = wire::take_frame(frames);
      wire::expect(x.has_value(), "a chunk ends inside a frame");
      wire::expect(!x->mask && (x->reserved & ~rsv1) == 0, "a head is wrong");
      wire::expect((x->opcode == wire::continuation) == open_.has_value() && x->opcode <= 2,
                   "fragments are out of order");
      wire::expect(!open_ || x->reserved == 0, "a continuation says that it is compressed");
      if (!open_)
        open_ = coded_message{x->opcode, x->reserved == rsv1, {}};
      open_->payload += x->payload;
      if (x->fin)
        messages_.push_back(*std::exchange(open_, std::nullopt));
    }
  }

  /// A recoder stays where it is, and this can be moved.
  std::unique_ptr<recoder> recoder_;
  recoder_options options_;
  std::vector<coded_message> messages_;
  std::optional<coded_message> open_;
  size_t steps_ = 0;
};

} // namespace tandem::net
