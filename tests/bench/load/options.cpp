#include "tests/bench/load/options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <limits>
#include <type_traits>
#include <vector>

namespace tandem::bench {

namespace {

/// Takes a value to its place in the options; tells what is wrong with it, or nothing.
using setter = std::function<std::string(options&, std::string_view)>;

/// One option: the single source of the parser and of the help text.
struct row {
  std::string_view name;
  /// What stands for the value in the help; empty if there is none.
  std::string_view value;
  std::string_view help;
  setter set;
};

struct section {
  std::string_view title;
  std::vector<row> rows;
};

template <class T>
std::optional<T> parse_number(std::string_view text) {
  T value{};
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  return value;
}

/// Sets an integer between `least` and `most`.
template <class Field>
setter number(Field options::*field, uint64_t least,
              uint64_t most = std::numeric_limits<uint64_t>::max()) {
  return [=](options& to, std::string_view text) -> std::string {
    auto value = parse_number<uint64_t>(text);
    if (!value || *value < least || *value > most)
      return most == std::numeric_limits<uint64_t>::max()
                 ? fmt::format("must be a whole number, {} or more", least)
                 : fmt::format("must be a whole number from {} to {}", least, most);
    if constexpr (std::is_same_v<Field, std::optional<uint64_t>>)
      to.*field = *value;
    else
      to.*field = static_cast<Field>(*value);
    return {};
  };
}

/// Sets a time in seconds, up to a day.
template <class Field>
setter time(Field options::*field, bool may_be_zero) {
  return [=](options& to, std::string_view text) -> std::string {
    auto value = parse_number<double>(text);
    if (!value || !(*value <= 86'400) || *value < 0 || (*value == 0 && !may_be_zero))
      return fmt::format("must be a number of seconds, {} 0 and up to 86400",
                         may_be_zero ? "from" : "more than");
    to.*field = seconds{*value};
    return {};
  };
}

setter flag(bool options::*field) {
  return [=](options& to, std::string_view) -> std::string {
    to.*field = true;
    return {};
  };
}

setter url(std::string options::*field) {
  return [=](options& to, std::string_view text) -> std::string {
    auto parsed = parse_url(text);
    if (const auto* bad = std::get_if<bad_input>(&parsed))
      return bad->text;
    to.*field = text;
    return {};
  };
}

std::string set_rate(options& to, std::string_view text) {
  auto value = parse_number<double>(text);
  if (!value || !(*value > 0) || *value > 1e9)
    return "must be a number of messages a second, more than 0 and up to 1e9";
  to.rate = *value;
  return {};
}

std::string set_sizes(options& to, std::string_view text) {
  auto sizes = size_mix::parse(text);
  if (!sizes)
    return "must be bytes: '128', a range '1-1000000' or a list '1,125,126'";
  to.sizes = *sizes;
  return {};
}

const std::vector<section>& table() {
  using o = options;
  constexpr uint64_t most_pairs = 10'000'000;
  static const std::vector<section> sections{
      {"Where",
       {{"client-url", "URL", "where clients connect; {id} becomes the pair's id",
         url(&o::client_url)},
        {"worker-url", "URL", "where workers connect", url(&o::worker_url)},
        {"client-first", "", "let the client of a pair connect before its worker",
         flag(&o::client_first)},
        {"connect-concurrency", "N", "connections being made at a time and thread (64)",
         number(&o::connect_concurrency, 1, 1'000'000)},
        {"connect-timeout", "S", "seconds for a connection and its handshake (10)",
         time(&o::connect_timeout, false)}}},
      {"What",
       {{"pairs", "N", "pairs of a client and a worker (50)", number(&o::pairs, 1, most_pairs)},
        {"size", "BYTES",
         "payload of a message (128); 1-1000000: drawn from a range; 1,125,126: in turns",
         set_sizes},
        {"text", "", "text messages of UTF-8, instead of binary ones", flag(&o::text)},
        {"fragment", "BYTES", "split messages into frames of that many bytes",
         number(&o::fragment, 1)},
        {"compressed", "",
         "agree on permessage-deflate at both ends and send every message as compressed, in a "
         "block "
         "without compression; its size is that on the wire, and it has to arrive as it was sent",
         flag(&o::compressed)},
        {"one-way", "", "workers don't answer: messages go from client to worker alone",
         flag(&o::one_way)},
        {"verify", "", "check every byte, opcode and the order at both ends", flag(&o::verify)},
        {"worker-read-rate", "B",
         "bytes a second that a worker reads, for a worker that is too slow",
         number(&o::worker_read_rate, 1)}}},
      {"How fast",
       {{"in-flight", "N",
         "closed loop: unanswered messages per pair (1; with --one-way 0, that is as many as the "
         "sockets take)",
         number(&o::in_flight, 0)},
        {"rate", "N",
         "open loop: messages a second over all pairs, whatever the answers do; latency counts "
         "from the "
         "moment at which a message was due",
         set_rate},
        {"poisson", "", "with --rate: random arrivals, instead of even ones", flag(&o::poisson)}}},
      {"How long",
       {{"duration", "S",
         "seconds of measuring (10; with --messages, --total-bytes or --connect-rounds the limit, "
         "600)",
         time(&o::duration, false)},
        {"warm-up", "S", "seconds of load before the measuring (0)", time(&o::warm_up, true)},
        {"messages", "N", "stop after that many messages from clients, over all pairs",
         number(&o::messages, 1)},
        {"total-bytes", "N", "stop after that much payload from clients, over all pairs",
         number(&o::total_bytes, 1)},
        {"drain-timeout", "S", "seconds for what is under way at the end (30)",
         time(&o::drain_timeout, true)},
        {"stall-timeout", "S",
         "seconds without a byte while answers are due, after which the relay counts as stuck "
         "(10)",
         time(&o::stall_timeout, false)}}},
      {"Instead of messages",
       {{"idle", "N", "hold N connections open for --duration; count the pings that come",
         number(&o::idle, 2, 2 * most_pairs)},
        {"connect-rounds", "N",
         "N times: connect a pair, exchange one message, close; --pairs at a time",
         number(&o::connect_rounds, 1)}}},
      {"Measuring and reporting",
       {{"pid", "PID",
         "the relay's process: its CPU per forwarded message, memory, context switches",
         number(&o::pid, 1, std::numeric_limits<int>::max())},
        {"threads", "N", "threads of this tool (1)", number(&o::threads, 1, 1024)},
        {"json", "", "print one JSON object instead of the summary", flag(&o::json)},
        {"help", "", "print this", flag(&o::help)}}}};
  return sections;
}

const row* find_row(std::string_view name) {
  for (const auto& section : table())
    for (const auto& row : section.rows)
      if (row.name == name)
        return &row;
  return nullptr;
}

/// What is wrong with the options taken together; empty if nothing is.
std::string conflict(const options& chosen) {
  if (chosen.poisson && !chosen.rate)
    return "--poisson needs --rate";
  if (chosen.rate && chosen.in_flight)
    return "--rate and --in-flight exclude each other: an open loop waits for no answer";
  if (chosen.in_flight == 0U && !chosen.one_way)
    return "--in-flight 0 needs --one-way";
  if (chosen.idle > 0 && chosen.connect_rounds > 0)
    return "--idle and --connect-rounds exclude each other";
  if (chosen.idle % 2 != 0)
    return "--idle must be even: connections come in pairs";
  if ((chosen.idle > 0 || chosen.connect_rounds > 0) &&
      (chosen.rate || chosen.in_flight || chosen.messages > 0 || chosen.total_bytes > 0))
    return "--idle and --connect-rounds exclude --rate, --in-flight, --messages and --total-bytes";
  if (chosen.compressed && (chosen.sizes.least() < payload::stored_overhead ||
                            chosen.sizes.most() > payload::most_stored))
    return fmt::format("--compressed needs sizes from {} to {}", payload::stored_overhead,
                       payload::most_stored);
  if (chosen.compressed && chosen.text)
    return "--compressed and --text exclude each other: what is stored is any bytes";
  if (chosen.threads > chosen.open_pairs())
    return "--threads can't exceed the number of pairs";
  if (chosen.messages > 0 && chosen.messages < chosen.pairs)
    return "--messages can't be less than --pairs";
  return {};
}

/// Breaks a help text into lines that fit the terminal, below each other.
std::string wrapped(std::string_view text) {
  constexpr size_t width = 72;
  constexpr std::string_view indent = "\n                           ";
  std::string lines;
  while (text.size() > width) {
    auto end = text.rfind(' ', width);
    lines += fmt::format("{}{}", text.substr(0, end), indent);
    text.remove_prefix(end + 1);
  }
  return lines += text;
}

} // namespace

seconds options::time_limit() const noexcept {
  auto counted = messages > 0 || total_bytes > 0 || connect_rounds > 0;
  return duration.value_or(seconds{counted ? 600 : 10});
}

std::variant<options, bad_input> parse_options(std::span<const std::string_view> arguments) {
  options result;
  for (size_t i = 0; i < arguments.size(); ++i) {
    auto argument = arguments[i];
    if (!argument.starts_with("--"))
      return bad_input{fmt::format("'{}' is no option", argument)};
    auto equals = std::min(argument.find('='), argument.size());
    auto name = argument.substr(2, equals - 2);
    const auto* row = find_row(name);
    if (row == nullptr)
      return bad_input{fmt::format("there is no option --{}", name)};
    auto inline_value = equals < argument.size();
    if (row->value.empty() && inline_value)
      return bad_input{fmt::format("--{} takes no value", name)};
    if (!row->value.empty() && !inline_value && ++i == arguments.size())
      return bad_input{fmt::format("--{} needs a value ({})", name, row->value)};
    auto value = inline_value ? argument.substr(equals + 1) : arguments[i];
    if (auto wrong = row->set(result, value); !wrong.empty())
      return bad_input{fmt::format("--{} {}: {}", name, value, wrong)};
  }
  if (auto wrong = conflict(result); !wrong.empty() && !result.help)
    return bad_input{wrong};
  return result;
}

std::string help_text() {
  std::string text =
      "tandem-bench: loads any WebSocket relay that pairs clients with workers\n\n"
      "usage: tandem-bench [options]\n\n"
      "Both ends of every pair are this tool. A worker answers each message with one of the\n"
      "same size, so that a round trip is two forwarded messages. A message counts as\n"
      "forwarded when it has arrived. A run ends by itself, whatever the relay does.\n";
  for (const auto& section : table()) {
    text += fmt::format("\n{}\n", section.title);
    for (const auto& row : section.rows) {
      auto left = fmt::format("--{}{}{}", row.name, row.value.empty() ? "" : " ", row.value);
      text += fmt::format("  {:<24} {}\n", left, wrapped(row.help));
    }
  }
  text += "\nExit code: 0 all went well; 1 something went wrong at the relay; 2 wrong usage.\n";
  return text;
}

} // namespace tandem::bench
