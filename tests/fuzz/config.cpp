// Any bytes as a config file. What is accepted has to survive being printed and read back.
#include "config/load.hpp"
#include "config/pages.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tandem::config;
  settings first;
  std::vector<problem> problems;
  read({reinterpret_cast<const char*>(data), size}, "fuzz.conf", first, problems);
  for (const auto& x : problems)
    if (x.source != "fuzz.conf" || x.line < 0 || x.message.empty())
      std::abort();
  if (!problems.empty())
    return 0;
  settings second;
  read(dump(first), "dump.conf", second, problems);
  if (!problems.empty() || first != second)
    std::abort();
  return 0;
}
