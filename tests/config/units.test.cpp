#include "config/units.hpp"

#include <catch2/catch.hpp>

#include <limits>

using namespace tandem::config;
using namespace std::chrono_literals;

TEST_CASE("durations are read with each unit") {
  struct row {
    std::string_view text;
    std::optional<caf::timespan> expected;
  };
  auto [text, expected] = GENERATE(values<row>({
      {"10s", 10s},
      {"10 s", 10s},
      {"500ms", 500ms},
      {"5min", 5min},
      {"2h", 2h},
      {"7us", 7us},
      {"9ns", 9ns},
      {"0", 0s},
      {"0s", 0s},
      {"00s", 0s},
      {"99999999999999999999s", caf::timespan::max()},
      {"9999999999h", caf::timespan::max()},
      {"", std::nullopt},
      {"s", std::nullopt},
      {"5", std::nullopt},
      {"5m", std::nullopt},
      {"5 minutes", std::nullopt},
      {"1.5s", std::nullopt},
      {"-5s", std::nullopt},
      {"+5s", std::nullopt},
      {" 5s", std::nullopt},
      {"5s ", std::nullopt},
      {"5S", std::nullopt},
  }));
  CAPTURE(text);
  CHECK(parse_duration(text) == expected);
}

TEST_CASE("sizes are read with each unit") {
  struct row {
    std::string_view text;
    std::optional<uint64_t> expected;
  };
  auto [text, expected] = GENERATE(values<row>({
      {"0", 0},
      {"1", 1},
      {"65536", 65536},
      {"5 B", 5},
      {"64 KiB", 65536},
      {"64KiB", 65536},
      {"1MiB", 1048576},
      {"1 GiB", 1073741824},
      {"2 TiB", uint64_t{2} << 40},
      {"8 PiB", uint64_t{8} << 50},
      {"18446744073709551615", std::numeric_limits<uint64_t>::max()},
      {"18446744073709551616", std::numeric_limits<uint64_t>::max()},
      {"99999999 PiB", std::numeric_limits<uint64_t>::max()},
      {"", std::nullopt},
      {"KiB", std::nullopt},
      {"64 KB", std::nullopt},
      {"64 kib", std::nullopt},
      {"64k", std::nullopt},
      {"1.5 MiB", std::nullopt},
      {"-1", std::nullopt},
      {"64 KiB ", std::nullopt},
  }));
  CAPTURE(text);
  CHECK(parse_size(text) == expected);
}

TEST_CASE("durations and sizes are written in the largest unit that fits, and read back") {
  CHECK(format_duration(0ms) == "0s");
  CHECK(format_duration(1ms) == "1ms");
  CHECK(format_duration(1500ms) == "1500ms");
  CHECK(format_duration(90s) == "90s");
  CHECK(format_duration(300s) == "5min");
  CHECK(format_duration(24h) == "24h");
  CHECK(format_size(0) == "0 B");
  CHECK(format_size(1500) == "1500 B");
  CHECK(format_size(65536) == "64 KiB");
  CHECK(format_size(uint64_t{1} << 53) == "8 PiB");
  for (auto x : {1ms, 999ms, 60000ms, 3600000ms, 86399999ms})
    CHECK(parse_duration(format_duration(x)) == x);
  for (uint64_t x : {1, 1023, 1024, 1536, 1 << 30})
    CHECK(parse_size(format_size(x)) == x);
}

TEST_CASE("a product that no timespan can hold is the nearest one") {
  CHECK(saturated(5, 1h) == 5h);
  CHECK(saturated(-5, 1h) == -5h);
  CHECK(saturated(std::numeric_limits<int64_t>::max(), 1h) == caf::timespan::max());
  CHECK(saturated(std::numeric_limits<int64_t>::min(), 1h) == caf::timespan::min());
  CHECK(saturated(std::numeric_limits<int64_t>::max(), 1ns) == caf::timespan::max());
}
