#include "config/load.hpp"

#include "reading.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>

using namespace tandem::config;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

/// A directory for a test's files, gone with it.
class scratch {
public:
  scratch() {
    auto name = (fs::temp_directory_path() / "tandem-config-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()));
    path_ = name;
  }

  ~scratch() { fs::remove_all(path_); }

  scratch(const scratch&) = delete;
  scratch& operator=(const scratch&) = delete;

  fs::path operator/(const fs::path& name) const { return path_ / name; }

  std::string write(const fs::path& name, std::string_view text) const {
    fs::create_directories((path_ / name).parent_path());
    std::ofstream{path_ / name, std::ios::binary} << text;
    return (path_ / name).string();
  }

private:
  fs::path path_;
};

outcome load_arguments(const strings& arguments) {
  return load(arguments, {.directories = {}, .extensions = {"greeter", "auditor"}});
}

strings problems_of(const outcome& x) {
  strings result;
  for (const auto& problem : x.problems)
    result.push_back(to_string(problem));
  return result;
}

} // namespace

TEST_CASE("without arguments and a file, the defaults count") {
  auto x = load_arguments({});
  CHECK(x.what == action::run);
  CHECK(x.settings == settings{});
  CHECK(x.config_file == std::nullopt);
  CHECK(x.problems.empty());
}

TEST_CASE("values on the command line need no quotes") {
  auto x = load_arguments({"--pair-timeout=10s", "--pending-bytes=64KiB", "--relay-window", "1 MiB",
                           "--on-conflict", "replace", "--scheduler.max-threads=4",
                           "--client-path=/c/{key}", "--drain-timeout=0", "--max-message-size=1000",
                           "--heartbeat.timeout", "500ms", "--log-level=off"});
  CHECK(problems_of(x).empty());
  CHECK(x.settings.pair_timeout == 10s);
  CHECK(x.settings.pending_bytes == 65536);
  CHECK(x.settings.relay_window == 1048576);
  CHECK(x.settings.on_conflict == conflict_policy::replace);
  CHECK(x.settings.network_threads == 4);
  CHECK(x.settings.client_path == "/c/{key}");
  CHECK(x.settings.drain_timeout == 0s);
  CHECK(x.settings.max_message_size == 1000);
  CHECK(x.settings.heartbeat_timeout == 500ms);
  CHECK(x.settings.log_level == log_level::off);
}

TEST_CASE("lists are given by commas and by repetition") {
  auto x = load_arguments(
      {"--listen=127.0.0.1:1", "--extensions=greeter,auditor", "--listen", "[::1]:2,127.0.0.1:3"});
  CHECK(problems_of(x).empty());
  CHECK(x.settings.listen == std::vector<endpoint>{{"127.0.0.1", 1}, {"::1", 2}, {"127.0.0.1", 3}});
  CHECK(x.settings.extensions == strings{"greeter", "auditor"});
  CHECK(load_arguments({"--extensions="}).settings.extensions.empty());
}

TEST_CASE("of an option that is given twice, the last value counts") {
  CHECK(load_arguments({"--pair-timeout=1s", "--pair-timeout=2s"}).settings.pair_timeout == 2s);
}

TEST_CASE("flags say what to do, and the more harmless of several counts") {
  struct row {
    strings arguments;
    action what;
  };
  auto [arguments, what] = GENERATE(values<row>({
      {{"--check-config"}, action::check},
      {{"--dump-config"}, action::dump},
      {{"--help"}, action::help},
      {{"-h"}, action::help},
      {{"--version"}, action::version},
      {{"--dump-config", "--check-config"}, action::dump},
      {{"--help", "--dump-config", "--version"}, action::help},
  }));
  auto x = load_arguments(arguments);
  CHECK(x.what == what);
  CHECK(x.problems.empty());
}

TEST_CASE("help is given whatever else is wrong") {
  auto x = load_arguments({"--nonsense", "--config-file=/nonexistent", "-h"});
  CHECK(x.what == action::help);
  CHECK(x.problems.empty());
}

TEST_CASE("problems of the command line name the flag") {
  struct row {
    strings arguments;
    strings expected;
  };
  auto [arguments, expected] = GENERATE(values<row>({
      {{"--pair-timeot=1s"}, {"--pair-timeot: unknown option; did you mean --pair-timeout?"}},
      {{"--pair-timeot", "1s"}, {"--pair-timeot: unknown option; did you mean --pair-timeout?"}},
      {{"--timeout=1s"}, {"--timeout: unknown option; did you mean --heartbeat.timeout?"}},
      {{"--check"}, {"--check: unknown option"}},
      {{"--check-confg"}, {"--check-confg: unknown option; did you mean --check-config?"}},
      {{"--xyzzy", "--help-me"}, {"--xyzzy: unknown option", "--help-me: unknown option"}},
      {{"-v"}, {"-v: unknown argument; options are --NAME=VALUE or --NAME VALUE"}},
      {{"--"}, {"--: unknown argument; options are --NAME=VALUE or --NAME VALUE"}},
      {{""}, {"unknown argument; options are --NAME=VALUE or --NAME VALUE"}},
      {{"start"}, {"start: unknown argument; options are --NAME=VALUE or --NAME VALUE"}},
      {{"--check-config=yes"}, {"--check-config: takes no value"}},
      {{"--config-file="}, {"--config-file: takes the path of a file, but this is empty"}},
      {{"--config-file"}, {"--config-file: takes the path of a file, but no value is given"}},
      {{"--log-level", "--dump-config"},
       {R"(--log-level: takes "trace", "debug", "info", "warning", "error" or "off", but no value is given)"}},
      {{"--drain-timeout=soon"},
       {R"(--drain-timeout: takes a duration from 1ms to 1h (0: don't wait), such as 10s, but this is the text soon)"}},
      {{"--drain-timeout=2h"},
       {"--drain-timeout: 2h is out of range; takes a duration from 1ms to 1h (0: don't wait), "
        "such "
        "as 10s"}},
      {{"--drain-timeout="},
       {"--drain-timeout: takes a duration from 1ms to 1h (0: don't wait), such as 10s, but this "
        "is "
        "the text"}},
      {{"--scheduler.max-threads=many"},
       {"--scheduler.max-threads: takes a whole number from 1 to 256 (0: one per core), but this "
        "is "
        "the text many"}},
      {{"--scheduler.compute-threads", "-1"},
       {"--scheduler.compute-threads: -1 is out of range; takes a whole number from 1 to 64"}},
      {{"--listen=localhost:80,1.2.3.4"},
       {"--listen: localhost:80 has no numeric IP address before its port",
        "--listen: 1.2.3.4 has no port"}},
      {{"--listen="},
       {R"(--listen: is empty; takes a list of at least one "ADDRESS:PORT", "wss://ADDRESS:PORT" or "unix:PATH", such as ["0.0.0.0:8080", "[::]:8080"])"}},
      {{"--extensions=greter"},
       {R"(--extensions: there is no actor type "greter"; did you mean "greeter"?)"}},
      {{"--extensions=greeter,,auditor"}, {"--extensions: nothing is no name"}},
      {{"--worker-path=/client/{key}"},
       {R"(--worker-path: /client/{key} would fit both "/client/{key}" and client-path, which is "/client/{key}")"}},
  }));
  CAPTURE(arguments);
  CHECK(problems_of(load_arguments(arguments)) == expected);
}

TEST_CASE("the command line overrides the file, and the file the defaults") {
  scratch dir;
  auto file =
      dir.write("x.conf", "pair-timeout = 1s\nstall-timeout = 1s\nlisten = [\"1.1.1.1:1\"]\n"
                          "extensions = [\"greeter\"]");
  auto x = load_arguments({"--pair-timeout=2s", "--config-file", file, "--listen=2.2.2.2:2"});
  CHECK(problems_of(x).empty());
  CHECK(x.config_file == file);
  CHECK(x.settings.pair_timeout == 2s);
  CHECK(x.settings.stall_timeout == 1s);
  CHECK(x.settings.drain_timeout == 10s);
  CHECK(x.settings.listen == std::vector<endpoint>{{"2.2.2.2", 2}});
  CHECK(x.settings.extensions == strings{"greeter"});
}

TEST_CASE("problems of the file and of the command line are reported together") {
  scratch dir;
  auto file = dir.write("x.conf", "stall-timeout = 1\nextensions = [\"nobody\"]\n");
  auto problems = problems_of(load_arguments({"--config-file=" + file, "--stall-timeout=x", "-x"}));
  REQUIRE(problems.size() == 4);
  CHECK(problems[0].starts_with("-x: unknown argument"));
  CHECK(problems[1].starts_with(file + ":1: stall-timeout: takes a duration"));
  CHECK(problems[2].starts_with("--stall-timeout: takes a duration"));
  CHECK(problems[3] == file + ":2: extensions: there is no actor type \"nobody\"");
}

TEST_CASE("the first tandem.conf of the directories is read, and no other") {
  scratch dir;
  const surroundings around{.directories = {dir / "a", dir / "b"}};
  CHECK(load({}, around).config_file == std::nullopt);
  auto second = dir.write("b/tandem.conf", "pair-timeout = 2s");
  CHECK(load({}, around).config_file == second);
  CHECK(load({}, around).settings.pair_timeout == 2s);
  auto first = dir.write("a/tandem.conf", "stall-timeout = 1s");
  CHECK(load({}, around).config_file == first);
  CHECK(load({}, around).settings.pair_timeout == 5min);
  auto named = dir.write("c.conf", "");
  CHECK(load(strings{"--config-file=" + named}, around).config_file == named);
}

TEST_CASE("a file that can't be read is a problem, wherever it was found") {
  scratch dir;
  auto missing = (dir / "missing.conf").string();
  CHECK(problems_of(load_arguments({"--config-file=" + missing})) ==
        strings{missing + ": can't be read: No such file or directory"});
  fs::create_directories(dir / "tandem.conf");
  auto path = (dir / "tandem.conf").string();
  CHECK(problems_of(load({}, {.directories = {dir / ""}})) ==
        strings{path + ": can't be read: Is a directory"});
  auto large = dir.write("large.conf", std::string((1 << 20) + 1, '\n'));
  CHECK(problems_of(load_arguments({"--config-file=" + large})) ==
        strings{large + ": is no config file: it has more than 1 MiB"});
  auto largest = dir.write("largest.conf", std::string(1 << 20, '\n'));
  CHECK(problems_of(load_arguments({"--config-file=" + largest})).empty());
}

TEST_CASE("an empty file changes nothing") {
  scratch dir;
  auto file = dir.write("x.conf", "");
  auto x = load_arguments({"--config-file=" + file});
  CHECK(problems_of(x).empty());
  CHECK(x.settings == settings{});
}

TEST_CASE("a file for TLS that can't be used is a problem of the option that names it") {
  scratch dir;
  const auto file = dir.write("tandem.conf", "listen = [\"wss://127.0.0.1:0\"]\n\n[tls]\n"
                                             "certificates = [\"a.pem\"]\n"
                                             "private-keys = [\"a.key\"]\n");
  int calls = 0;
  surroundings around{.directories = {}};
  around.tls = [&](const settings& x) -> std::optional<std::pair<std::string_view, std::string>> {
    ++calls;
    CHECK(x.tls_certificates == strings{"a.pem"});
    return std::pair{"tls.private-keys", "a.key is no key"};
  };
  CHECK(problems_of(load(strings{"--config-file=" + file}, around)) ==
        strings{file + ":5: tls.private-keys: a.key is no key"});
  CHECK(calls == 1);

  // Without certificates, or with other problems, there is nothing to try.
  CHECK(problems_of(load({}, around)).empty());
  CHECK(problems_of(load(strings{"--config-file=" + file, "--tls.private-keys=a,b"}, around)) ==
        strings{"--tls.private-keys: has 2 names for the 1 of tls.certificates; takes one for "
                "each, in the same order"});
  CHECK(calls == 1);
}
