#include "actors/log.hpp"

#include <catch2/catch.hpp>

using tandem::log_value;

TEST_CASE("a value in a log line can't be taken for anything else", "[log]") {
  CHECK(log_value("abc-1.2/x") == "abc-1.2/x");
  CHECK(log_value("é") == "é");
  CHECK(log_value("") == R"("")");
  CHECK(log_value("a role=admin") == R"("a role=admin")");
  CHECK(log_value(R"(say "hi" \o/)") == R"("say \"hi\" \\o/")");
  CHECK(log_value("a\nb\x7F") == R"("a\x0ab\x7f")");
}
