#include "tests/bench/load/nats_reader.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace tandem::bench {

namespace {

constexpr uint64_t line_end = 2;

} // namespace

nats_reader::event nats_reader::next(std::string_view& in) {
  while (!in.empty()) {
    if (left_ > 0) {
      const auto n = std::min<uint64_t>(left_, in.size());
      in.remove_prefix(n);
      left_ -= n;
      if (left_ == 0)
        return event::message;
      continue;
    }
    const auto end = in.find('\n');
    line_.append(in.substr(0, end));
    in.remove_prefix(end == std::string_view::npos ? in.size() : end + 1);
    if (end == std::string_view::npos)
      break;
    if (auto what = judge_line())
      return *what;
  }
  return event::none;
}

/// What a whole line means by itself. One of a message is followed by its payload.
std::optional<nats_reader::event> nats_reader::judge_line() {
  auto line = std::exchange(line_, {});
  if (line.ends_with('\r'))
    line.pop_back();
  if (line.starts_with("MSG ")) {
    const auto number = std::string_view{line}.substr(line.rfind(' ') + 1);
    size_ = 0;
    std::from_chars(number.data(), number.data() + number.size(), size_);
    left_ = size_ + line_end;
    return std::nullopt;
  }
  if (line.starts_with("-ERR")) {
    error_ = line;
    return event::error;
  }
  if (line == "PING")
    return event::ping;
  if (line == "PONG")
    return event::pong;
  return std::nullopt;
}

} // namespace tandem::bench
