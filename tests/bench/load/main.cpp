/// tandem-bench: see --help.

#include "tests/bench/load/conductor.hpp"
#include "tests/bench/load/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <exception>
#include <random>
#include <string_view>
#include <sys/resource.h>
#include <vector>

namespace {

using namespace tandem::bench;

constexpr int went_well = 0;
constexpr int went_wrong = 1;
constexpr int wrong_usage = 2;

std::atomic<bool> interrupted = false;

void on_interrupt(int) {
  interrupted = true;
}

/// The first one ends the run with a report; the second one kills.
void catch_interrupts() {
  struct sigaction action {};
  action.sa_handler = on_interrupt;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

/// Raises the limit of open files as far as `needed`; false if the system doesn't let us.
bool allow_files(uint64_t needed) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur >= needed)
    return true;
  limit.rlim_cur = needed;
  // Only root may raise the hard limit.
  limit.rlim_max = std::max<rlim_t>(limit.rlim_max, needed);
  return setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

int usage_error(std::string_view text) {
  fmt::print(stderr, "tandem-bench: {}\nTry: tandem-bench --help\n", text);
  return wrong_usage;
}

int carry_out(const options& chosen) {
  constexpr uint64_t other_files = 64;
  auto files = chosen.open_pairs() * 2 + chosen.threads * 2 + other_files;
  if (!allow_files(files))
    return usage_error(
        fmt::format("needs {} open files, and the hard limit (ulimit -Hn) is lower", files));
  if (chosen.pid > 0 && !sample_process(chosen.pid))
    return usage_error(fmt::format("there is no process {}", chosen.pid));
  catch_interrupts();
  auto run = make_plan(chosen, fmt::format("{:08x}", std::random_device{}()));
  report result;
  {
    progress bar;
    result = conduct(run, bar, interrupted);
  }
  if (chosen.json)
    fmt::print("{}\n", to_json(run, result).dump(2));
  else
    fmt::print("{}", summary(run, result));
  return result.is_good() ? went_well : went_wrong;
}

} // namespace

int main(int argc, char** argv) {
  try {
    std::vector<std::string_view> arguments(argv + 1, argv + argc);
    auto parsed = parse_options(arguments);
    if (const auto* bad = std::get_if<bad_input>(&parsed))
      return usage_error(bad->text);
    const auto& chosen = std::get<options>(parsed);
    if (!chosen.help)
      return carry_out(chosen);
    fmt::print("{}", help_text());
    return went_well;
  } catch (const std::exception& error) {
    fmt::print(stderr, "tandem-bench: {}\n", error.what());
    return went_wrong;
  }
}
