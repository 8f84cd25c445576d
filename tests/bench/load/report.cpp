#include "tests/bench/load/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace tandem::bench {

using json = nlohmann::ordered_json;

namespace {

constexpr double microseconds = 1e-3;

double ratio(double part, double whole) {
  return whole > 0 ? part / whole : 0;
}

/// What a process did while it was measured.
struct usage {
  double cpu = 0;
  double cores = 0;
  /// Microseconds of CPU per message that the relay forwarded.
  double per_message = 0;
  uint64_t voluntary_switches = 0;
  uint64_t involuntary_switches = 0;
};

usage usage_of(const process_sample& from, const process_sample& until, const report& result) {
  auto cpu = until.cpu - from.cpu;
  // A thread that ended takes its switches with it.
  auto grown = [](uint64_t before, uint64_t after) { return after > before ? after - before : 0; };
  return {.cpu = cpu,
          .cores = ratio(cpu, result.elapsed.count()),
          .per_message = ratio(cpu * 1e6, static_cast<double>(result.measured.forwarded())),
          .voluntary_switches = grown(from.voluntary_switches, until.voluntary_switches),
          .involuntary_switches = grown(from.involuntary_switches, until.involuntary_switches)};
}

std::optional<usage> relay_usage(const report& result) {
  if (!result.relay_from || !result.relay_until)
    return std::nullopt;
  return usage_of(*result.relay_from, *result.relay_until, result);
}

/// Bytes that the relay's process grew by, per connection that was opened.
std::optional<double> memory_per_connection(const report& result) {
  if (!result.relay_before || !result.relay_until || result.total.now.opened == 0)
    return std::nullopt;
  // Not every kernel lets anyone read the proportional share.
  auto memory = [](const process_sample& at) {
    return static_cast<double>(at.pss > 0 ? at.pss : at.rss);
  };
  return (memory(*result.relay_until) - memory(*result.relay_before)) /
         static_cast<double>(result.total.now.opened);
}

json to_json(const histogram& times) {
  return {{"count", times.count()},
          {"mean", times.mean() * microseconds},
          {"p50", static_cast<double>(times.percentile(50)) * microseconds},
          {"p90", static_cast<double>(times.percentile(90)) * microseconds},
          {"p99", static_cast<double>(times.percentile(99)) * microseconds},
          {"p99_9", static_cast<double>(times.percentile(99.9)) * microseconds},
          {"max", static_cast<double>(times.max()) * microseconds}};
}

json to_json(const usage& used, const process_sample& until) {
  return {{"cpu_s", used.cpu},
          {"cores", used.cores},
          {"cpu_us_per_forwarded_message", used.per_message},
          {"voluntary_switches", used.voluntary_switches},
          {"involuntary_switches", used.involuntary_switches},
          {"rss_bytes", until.rss},
          {"pss_bytes", until.pss}};
}

json to_json(const fault_log& faults) {
  json kinds = json::object();
  for (size_t i = 0; i < fault_kinds; ++i) {
    auto kind = static_cast<fault>(i);
    if (faults.count(kind) > 0)
      kinds[std::string{to_string(kind)}] = {{"count", faults.count(kind)},
                                             {"first", faults.texts(kind)}};
  }
  return {{"total", faults.total()}, {"kinds", std::move(kinds)}};
}

json to_json(const options& chosen) {
  json result{{"client_url", chosen.client_url},
              {"worker_url", chosen.worker_url},
              {"pairs", chosen.open_pairs()},
              {"size", chosen.sizes.text()},
              {"text", chosen.text},
              {"fragment", chosen.fragment},
              {"one_way", chosen.one_way},
              {"verify", chosen.verify},
              {"threads", chosen.threads},
              {"warm_up_s", chosen.warm_up.count()}};
  if (chosen.rate)
    result.update(json{{"rate", *chosen.rate}, {"poisson", chosen.poisson}});
  else
    result["in_flight"] = chosen.window();
  return result;
}

/// A duration in nanoseconds, in the unit that suits it.
std::string time_text(uint64_t nanoseconds) {
  auto value = static_cast<double>(nanoseconds);
  if (value < 1e6)
    return fmt::format("{:.3g} µs", value / 1e3);
  if (value < 1e9)
    return fmt::format("{:.4g} ms", value / 1e6);
  return fmt::format("{:.4g} s", value / 1e9);
}

std::string times_text(const histogram& times) {
  return fmt::format("p50 {}  p90 {}  p99 {}  p99.9 {}  max {}", time_text(times.percentile(50)),
                     time_text(times.percentile(90)), time_text(times.percentile(99)),
                     time_text(times.percentile(99.9)), time_text(times.max()));
}

std::string line(std::string_view label, std::string_view text) {
  return fmt::format("{:<12} {}\n", label, text);
}

std::string load_text(const options& chosen) {
  if (chosen.idle > 0)
    return fmt::format("{} idle connections", chosen.idle);
  auto kind = fmt::format("{} bytes of {}{}", chosen.sizes.text(), chosen.text ? "text" : "binary",
                          chosen.one_way ? ", one way" : "");
  if (chosen.connect_rounds > 0)
    return fmt::format("{} rounds, {} at a time, {}", chosen.connect_rounds, chosen.pairs, kind);
  auto pace = chosen.rate
                  ? fmt::format("{:g} a second{}", *chosen.rate, chosen.poisson ? " (Poisson)" : "")
              : chosen.window() > 0 ? fmt::format("{} in flight each", chosen.window())
                                    : "as many in flight as the sockets take";
  return fmt::format("{} pairs, {}, {}", chosen.pairs, pace, kind);
}

std::string messages_text(const options& chosen, const report& result) {
  const auto& measured = result.measured;
  auto time = result.elapsed.count();
  auto forwarded = static_cast<double>(measured.forwarded());
  auto text =
      line("forwarded", fmt::format("{} messages in {:.3f} s: {:.0f}/s, {:.1f} MB/s of payload",
                                    measured.forwarded(), time, ratio(forwarded, time),
                                    ratio(static_cast<double>(measured.bytes), time) / 1e6));
  text +=
      line("", fmt::format("{} at workers, {} at clients", measured.at_worker, measured.at_client));
  text += line(chosen.one_way ? "one way" : "round trip", times_text(result.total.latency));
  if (chosen.rate)
    text += line(
        "",
        fmt::format("counted from when each was due; this tool itself was late by p99 {}, max {}",
                    time_text(result.total.lag.percentile(99)), time_text(result.total.lag.max())));
  return text;
}

std::string idle_text(const report& result) {
  const auto& pings = result.total.pings;
  auto text = line("pings", fmt::format("{} to {} connections: {} to {} each, longest gap {}",
                                        pings.total, pings.connections, pings.fewest, pings.most,
                                        time_text(pings.longest_gap)));
  if (auto memory = memory_per_connection(result))
    text += line("memory", fmt::format("{:.0f} bytes per connection", *memory));
  return text;
}

std::string usage_text(std::string_view label, const usage& used, const process_sample& until,
                       const counts& measured) {
  std::string cost;
  if (measured.rounds > 0)
    cost = fmt::format("{:.1f} µs of CPU per round, ",
                       used.cpu * 1e6 / static_cast<double>(measured.rounds));
  else if (measured.forwarded() > 0)
    cost = fmt::format("{:.3f} µs of CPU per forwarded message, ", used.per_message);
  return line(label, fmt::format("{}{:.1f} % of a core, RSS {:.1f} MB, {} + {} context switches",
                                 cost, used.cores * 100, static_cast<double>(until.rss) / 1e6,
                                 used.voluntary_switches, used.involuntary_switches));
}

std::string faults_text(const fault_log& faults) {
  std::string text;
  for (size_t i = 0; i < fault_kinds; ++i) {
    auto kind = static_cast<fault>(i);
    if (faults.count(kind) == 0)
      continue;
    text += line("WRONG", fmt::format("{}: {}", to_string(kind), faults.count(kind)));
    for (const auto& each : faults.texts(kind))
      text += line("", each);
  }
  return text;
}

} // namespace

std::string summary(const plan& run, const report& result) {
  const auto& chosen = run.chosen;
  const auto& total = result.total;
  auto text = line("load", load_text(chosen));
  text += line("connections", fmt::format("{} opened; handshake p50 {}, max {}", total.now.opened,
                                          time_text(total.handshake.percentile(50)),
                                          time_text(total.handshake.max())));
  if (chosen.idle > 0)
    text += idle_text(result);
  else if (chosen.connect_rounds > 0)
    text += line(
        "rounds",
        fmt::format("{} in {:.3f} s: {:.0f}/s; {}", result.measured.rounds, result.elapsed.count(),
                    ratio(static_cast<double>(result.measured.rounds), result.elapsed.count()),
                    times_text(total.round)));
  else
    text += messages_text(chosen, result);
  if (auto used = relay_usage(result))
    text += usage_text("relay", *used, *result.relay_until, result.measured);
  text += usage_text("this tool", usage_of(result.tool_from, result.tool_until, result),
                     result.tool_until, result.measured);
  if (chosen.verify)
    text += line("verified", fmt::format("every byte of {} messages at workers and {} at clients",
                                         total.now.at_worker, total.now.at_client));
  if (result.interrupted)
    text += line("note", "interrupted by the user");
  return text + faults_text(total.faults);
}

json to_json(const plan& run, const report& result) {
  const auto& chosen = run.chosen;
  const auto& measured = result.measured;
  auto time = result.elapsed.count();
  json object{{"tool", "tandem-bench"}, {"version", TANDEM_VERSION}, {"good", result.is_good()}};
  object["interrupted"] = result.interrupted;
  object["options"] = to_json(chosen);
  object["connections"] = {{"opened", result.total.now.opened},
                           {"handshake_us", to_json(result.total.handshake)}};
  object["measured"] = {
      {"seconds", time},
      {"forwarded_messages", measured.forwarded()},
      {"messages_at_workers", measured.at_worker},
      {"messages_at_clients", measured.at_client},
      {"payload_bytes", measured.bytes},
      {"forwarded_per_second", ratio(static_cast<double>(measured.forwarded()), time)}};
  object["latency_us"] = to_json(result.total.latency);
  if (chosen.rate)
    object["tool_lag_us"] = to_json(result.total.lag);
  if (chosen.connect_rounds > 0)
    object["rounds"] = {{"done", measured.rounds},
                        {"per_second", ratio(static_cast<double>(measured.rounds), time)},
                        {"us", to_json(result.total.round)}};
  const auto& pings = result.total.pings;
  object["pings"] = {{"total", pings.total},
                     {"fewest_per_connection", pings.fewest},
                     {"most_per_connection", pings.most},
                     {"longest_gap_s", static_cast<double>(pings.longest_gap) * 1e-9}};
  if (auto used = relay_usage(result)) {
    object["relay"] = to_json(*used, *result.relay_until);
    if (auto memory = memory_per_connection(result))
      object["relay"]["bytes_per_connection"] = *memory;
  }
  object["this_tool"] =
      to_json(usage_of(result.tool_from, result.tool_until, result), result.tool_until);
  object["faults"] = to_json(result.total.faults);
  return object;
}

} // namespace tandem::bench
