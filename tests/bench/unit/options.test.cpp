#include "tests/bench/load/options.hpp"

#include "tests/bench/load/plan.hpp"

#include <catch2/catch.hpp>

#include <vector>

using namespace tandem::bench;

namespace {

std::variant<options, bad_input> parse(std::vector<std::string_view> arguments) {
  return parse_options(arguments);
}

options good(std::vector<std::string_view> arguments) {
  auto parsed = parse(std::move(arguments));
  if (const auto* bad = std::get_if<bad_input>(&parsed))
    FAIL(bad->text);
  return std::get<options>(parsed);
}

std::string wrong(std::vector<std::string_view> arguments) {
  auto parsed = parse(std::move(arguments));
  REQUIRE(std::holds_alternative<bad_input>(parsed));
  return std::get<bad_input>(parsed).text;
}

} // namespace

TEST_CASE("without arguments there is a closed loop of bounded time") {
  auto chosen = good({});
  CHECK(chosen.window() == 1);
  CHECK(chosen.time_limit() == seconds{10});
  CHECK(chosen.client_url == "ws://127.0.0.1:8080/client/{id}");
}

TEST_CASE("a value follows its option, or an equals sign") {
  CHECK(good({"--pairs", "7"}).pairs == 7);
  CHECK(good({"--pairs=7"}).pairs == 7);
  CHECK(good({"--duration=0.25"}).time_limit() == seconds{0.25});
  CHECK(good({"--verify", "--text", "--json"}).verify);
  CHECK(good({"--client-url=ws://127.0.0.1:1/?a=b&{id}"}).client_url ==
        "ws://127.0.0.1:1/?a=b&{id}");
}

TEST_CASE("a run with a count has a time limit all the same") {
  CHECK(good({"--messages=100"}).time_limit() == seconds{600});
  CHECK(good({"--messages=100", "--duration=5"}).time_limit() == seconds{5});
}

TEST_CASE("one way, there is no window unless it is asked for") {
  CHECK(good({"--one-way"}).window() == 0);
  CHECK(good({"--one-way", "--in-flight=4"}).window() == 4);
}

TEST_CASE("wrong arguments are named") {
  CHECK(wrong({"--no-such"}) == "there is no option --no-such");
  CHECK(wrong({"pairs"}) == "'pairs' is no option");
  CHECK(wrong({"--pairs"}) == "--pairs needs a value (N)");
  CHECK(wrong({"--verify=yes"}) == "--verify takes no value");
  CHECK(wrong({"--threads=0"}) == "--threads 0: must be a whole number from 1 to 1024");
  CHECK(wrong({"--pairs=-1"}) == "--pairs -1: must be a whole number from 1 to 10000000");
  for (auto argument :
       {"--duration=0", "--duration=nan", "--duration=-1", "--duration=x", "--rate=0", "--rate=inf",
        "--size=", "--pid=0", "--in-flight=", "--worker-url=http://127.0.0.1/"})
    CHECK_FALSE(wrong({argument}).empty());
}

TEST_CASE("options that contradict each other are refused") {
  CHECK_FALSE(wrong({"--poisson"}).empty());
  CHECK_FALSE(wrong({"--rate=5", "--in-flight=1"}).empty());
  CHECK_FALSE(wrong({"--in-flight=0"}).empty());
  CHECK_FALSE(wrong({"--idle=10", "--connect-rounds=10"}).empty());
  CHECK_FALSE(wrong({"--idle=3"}).empty());
  CHECK_FALSE(wrong({"--threads=3", "--pairs=2"}).empty());
  CHECK_FALSE(wrong({"--messages=3", "--pairs=4"}).empty());
  CHECK_FALSE(wrong({"--compressed", "--text"}).empty());
  CHECK(wrong({"--compressed", "--size=5-100"}) == "--compressed needs sizes from 6 to 65541");
  CHECK_FALSE(wrong({"--compressed", "--size=100,65542"}).empty());
  CHECK(good({"--compressed", "--size=6-65541"}).compressed);
}

TEST_CASE("the help names every option that the parser knows") {
  auto help = help_text();
  for (auto name :
       {"--client-url",  "--worker-url",  "--in-flight",  "--rate",     "--poisson",
        "--pairs",       "--size",        "--text",       "--duration", "--messages",
        "--warm-up",     "--verify",      "--compressed", "--idle",     "--connect-rounds",
        "--pid",         "--threads",     "--json",       "--one-way",  "--worker-read-rate",
        "--total-bytes", "--client-first"})
    CHECK(help.find(name) != std::string::npos);
}

TEST_CASE("messages and bytes are shared out among the pairs, to the last one") {
  auto by_count = make_plan(good({"--messages=11", "--pairs=4"}), "run");
  CHECK(by_count.quota_of(0) == 3);
  CHECK(by_count.quota_of(2) == 3);
  CHECK(by_count.quota_of(3) == 2);
  auto by_bytes = make_plan(good({"--total-bytes=1000", "--size=100", "--pairs=4"}), "run");
  CHECK(by_bytes.quota_of(1) == 3);
}
