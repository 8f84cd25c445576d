#include "tests/bench/load/process_probe.hpp"

#include <fmt/format.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>
#include <unistd.h>

namespace tandem::bench {

namespace {

std::string read_file(const std::string& path) {
  std::ifstream in{path};
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

/// The number after `key` at the beginning of a line; 0 if there is none.
uint64_t field(std::string_view text, std::string_view key) {
  for (size_t at = 0; at < text.size(); at = std::min(text.find('\n', at), text.size() - 1) + 1) {
    auto line = text.substr(at);
    if (!line.starts_with(key))
      continue;
    line.remove_prefix(key.size());
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    uint64_t value = 0;
    std::from_chars(line.data(), line.data() + line.size(), value);
    return value;
  }
  return 0;
}

/// utime and stime: the 14th and 15th field. The second may hold spaces, but ends with the last
/// ')'.
std::optional<double> cpu_seconds(const std::string& stat) {
  auto end_of_name = stat.rfind(')');
  if (end_of_name == std::string::npos)
    return std::nullopt;
  std::istringstream fields{stat.substr(end_of_name + 1)};
  std::string skipped;
  for (int i = 3; i < 14; ++i)
    fields >> skipped;
  uint64_t user = 0;
  uint64_t system = 0;
  if (!(fields >> user >> system))
    return std::nullopt;
  return static_cast<double>(user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

} // namespace

std::optional<process_sample> sample_process(int pid) {
  auto folder = fmt::format("/proc/{}", pid);
  auto cpu = cpu_seconds(read_file(folder + "/stat"));
  if (!cpu)
    return std::nullopt;
  process_sample sample{.cpu = *cpu};
  if (auto memory = read_file(folder + "/smaps_rollup"); !memory.empty()) {
    sample.rss = field(memory, "Rss:") * 1024;
    sample.pss = field(memory, "Pss:") * 1024;
  } else {
    sample.rss = field(read_file(folder + "/status"), "VmRSS:") * 1024;
  }
  // Threads come and go meanwhile, which is no error.
  std::error_code error;
  std::filesystem::directory_iterator thread{folder + "/task", error};
  for (; !error && thread != std::filesystem::directory_iterator{}; thread.increment(error)) {
    auto status = read_file(thread->path().string() + "/status");
    sample.voluntary_switches += field(status, "voluntary_ctxt_switches:");
    sample.involuntary_switches += field(status, "nonvoluntary_ctxt_switches:");
  }
  return sample;
}

} // namespace tandem::bench
