#include "config/ini.hpp"

#include "reading.hpp"

#include <caf/actor_system_config.hpp>
#include <caf/config_value.hpp>
#include <caf/settings.hpp>
#include <catch2/catch.hpp>

#include <sstream>

using namespace tandem::config;
using namespace std::chrono_literals;

namespace {

/// The entries as "line name kind text".
strings entries_of(std::string_view text) {
  strings result;
  for (const auto& x : parse_ini(text).entries)
    result.push_back(std::to_string(x.line) + " " + full_name(x.section, x.key) + " " +
                     describe(x.content));
  return result;
}

} // namespace

TEST_CASE("entries keep their names, lines and kinds") {
  constexpr std::string_view text = "a = true ; comment\n"
                                    "b= -12\n"
                                    "; comment\n"
                                    "c =1.5e3\n"
                                    "\td\t=\t5min  \n"
                                    "e = 'atom x'\n"
                                    "f = \"a; b\" ; c\n"
                                    "g = <http://[::1]:80/a?b=c#d>\n"
                                    "h = [\n"
                                    "  1,\n"
                                    "]\n"
                                    "i { j = 1, k { l = 2 } }\n"
                                    "[m] \n"
                                    "\n"
                                    "n-_1 = 0x1F\n"
                                    "[o.p]\n"
                                    "q = 1";
  CHECK(parse_ini(text).faults.empty());
  CHECK(entries_of(text) ==
        strings{"1 a the boolean true", "2 b the number -12", "4 c the fraction 1.5e3",
                "5 d the duration 5min", "6 e the atom 'atom x'", "7 f the text \"a; b\"",
                "8 g the URI <http://[::1]:80/a?b=c#d>", "9 h a list", "12 i.j the number 1",
                "12 i.k.l the number 2", "15 m.n-_1 the number 0x1F", "17 o.p.q the number 1"});
}

TEST_CASE("sections are noted with their lines, also empty ones, but not the global one") {
  auto sections = parse_ini("[global]\na { }\n[b]\n[c.d]\n").sections;
  strings found;
  for (const auto& x : sections)
    found.push_back(std::to_string(x.line) + " " + x.name);
  CHECK(found == strings{"2 a", "3 b", "4 c", "4 c.d"});
}

TEST_CASE("global options may also stand in a section of that name") {
  CHECK(entries_of("a = 1\n[b]\na = 2\n[global]\nc = 3\n") ==
        strings{"1 a the number 1", "3 b.a the number 2", "5 c the number 3"});
}

TEST_CASE("line ends, byte order marks and a missing last newline don't matter") {
  const strings expected{"1 a the number 1", "3 b.c the text \"x\""};
  auto text = GENERATE(as<std::string_view>{}, "a = 1\n[b]\nc = \"x\"\n", "a = 1\n[b]\nc = \"x\"",
                       "a = 1\r\n[b]\r\nc = \"x\"\r\n",
                       "\xEF\xBB\xBF"
                       "a = 1\n[b]\nc = \"x\"",
                       "\xEF\xBB\xBF"
                       "a = 1 ; x\r\n[b]\r\nc = \"x\"");
  CHECK(entries_of(text) == expected);
  CHECK(parse_ini(text).faults.empty());
}

TEST_CASE("an empty file, and one of comments alone, says nothing") {
  auto text =
      GENERATE(as<std::string_view>{}, "", "\n", "\r\n", " \t\n", ";", "; a\n;; b", "\xEF\xBB\xBF");
  auto [values, problems] = read_text(text);
  CHECK(problems.empty());
  CHECK(values == settings{});
}

TEST_CASE("a list may hold lists, sections and comments, and end with a comma") {
  auto document = parse_ini("a = [ ; one\n [1, 2], ; two\n {b = 1, c = [3]},\n 'x',\n]");
  REQUIRE(document.faults.empty());
  REQUIRE(document.entries.size() == 1);
  const auto& list = std::get<value::list>(document.entries[0].content.data);
  REQUIRE(list.size() == 3);
  CHECK(std::get<value::list>(list[0].data).size() == 2);
  CHECK(list[0].line == 2);
  CHECK(std::holds_alternative<value::block>(list[1].data));
  CHECK(list[2].text == "'x'");
  CHECK(list[2].line == 4);
}

TEST_CASE("after a fault, reading goes on with the next entry, in the right section") {
  CHECK(entries_of("[a]\nb = 1\nc = ?\nd = 2\n[e f]\ng = 3\n[h]\ni = [1\nj = 4\n") ==
        strings{"2 a.b the number 1", "4 a.d the number 2", "9 h.j the number 4"});
}

TEST_CASE("a text is accepted exactly if CAF's own reader accepts it") {
  struct row {
    std::string_view text;
    bool good;
  };
  auto [text, good] = GENERATE(values<row>({
      {"", true},
      {"a = 1", true},
      {"a = 1\n[b]\nc = 'd'\n", true},
      {"a { b = 1 c = 2 }", false},
      {"a { b = 1\n c = 2 }", true},
      {"a = [1, 2,\n3]", true},
      {"a = [1 2]", false},
      {"a = 1h ; b", true},
      {"a = 1d", false},
      {"a = 0b11", true},
      {"a = 08", false},
      {"a = .5", true},
      {"a = 5.", true},
      {"a = tru", false},
      {"a = \"x", false},
      {"a = 'x", false},
      {"a = 'x-y'", false},
      {"a = <x>", false},
      {"a = <x:y>", true},
      {"a-b = 1", true},
      {"-a = 1", false},
      {"_a = 1", true},
      {"a.b = 1", false},
      {"[ a ]\nb = 1", true},
      {"[a", false},
      {"[a.b.c]\nd = 1", true},
      {"a = 1\n# b", false},
      {"a", false},
      {"= 1", false},
  }));
  CAPTURE(text);
  CHECK(parse_ini(text).faults.empty() == good);
  // CAF's reader overlooks a fault at the very end of a text.
  std::istringstream in{std::string{text} + "\n"};
  CHECK(static_cast<bool>(caf::actor_system_config::parse_config(in)) == good);
}
