#include "config/pages.hpp"

#include "config/arguments.hpp"
#include "config/options.hpp"
#include "config/route_section.hpp"
#include "config/text.hpp"

#include <algorithm>
#include <initializer_list>
#include <string_view>

namespace tandem::config {

namespace {

constexpr size_t width = 90;

/// Breaks `text` at its blanks into lines that begin with `prefix` and have at most `width` bytes,
/// if that can be.
std::string wrapped(std::string_view text, std::string_view prefix) {
  std::string result;
  auto line = std::string{prefix};
  while (!text.empty()) {
    auto end = std::min(text.find(' '), text.size());
    auto fresh = line.size() == prefix.size();
    if (!fresh && line.size() + 1 + end > width) {
      result.append(line).append("\n");
      line = prefix;
      fresh = true;
    }
    line.append(fresh ? "" : " ").append(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return result.append(line).append("\n");
}

/// "A duration from 1ms to 24h (0: no limit)."
std::string range_sentence(const option& row) {
  auto text = accepted(row);
  if (text.starts_with("a "))
    text.front() = 'A';
  return text.append(".");
}

/// Whether routes may have it; may be empty.
std::string route_sentence(const option& row) {
  if (!row.is_by_route())
    return {};
  return row.by_route == every_mode ? "By route."
                                    : "By route, with mode = " + show(row.by_route) + ".";
}

/// `sentences` with a blank between two.
std::string joined(std::initializer_list<std::string> sentences) {
  std::string result;
  for (const auto& x : sentences)
    if (!x.empty())
      result.append(result.empty() ? "" : " ").append(x);
  return result;
}

/// Calls `topic` with the first option of each topic, and `each` with every one.
template <class Topic, class Each>
void walk(Topic topic, Each each) {
  std::string_view current;
  for (const auto& row : options()) {
    if (row.topic != current)
      topic(row);
    current = row.topic;
    each(row);
  }
}

std::string help_entry(std::string_view name, std::string_view value, std::string_view text) {
  auto result = "  --" + std::string{name};
  result.append(value.empty() ? "" : "=").append(value).append("\n");
  return result.append(wrapped(text, "      "));
}

std::string entry(const option& row, const settings& values) {
  return std::string{row.key()}.append(" = ").append(show(row, values)).append("\n");
}

std::string header(const option& row) {
  return row.section().empty() ? "" : "[" + std::string{row.section()} + "]\n";
}

std::string code(std::string_view text) {
  return std::string{"`"}.append(text).append("`");
}

/// The section of a route: all that it may set.
std::string route_text(const route& which, const settings& all) {
  const auto values = settings_for(all, which);
  auto result = "\n[" + name_of_route_section(which.name) + "]\n";
  for (const auto& row : options()) {
    if (!row.by_route.contain(which.own.mode))
      continue;
    if (row.section().empty())
      result.append(entry(row, values));
    else if (which.compression)
      // The one of them; it may be for the listener to say.
      result.append(row.section())
          .append(" { ")
          .append(row.key())
          .append(" = ")
          .append(show(row, values))
          .append(" }\n");
  }
  return result;
}

constexpr std::string_view help_head = R"(Usage: tandem [OPTION]...

Pairs WebSocket clients with workers and carries every message between the two.

An option is given as --NAME=VALUE or --NAME VALUE. It overrides the config file. A list has
commas between its parts, or the option is repeated; it replaces the list of the file.
Durations have a unit: 500ms, 10s, 5min, 1h. Sizes are bytes or have one: 64KiB, 1MiB.
What is said to be by route is what routes of the config file have that don't say otherwise.

)";

constexpr std::string_view file_head =
    R"(; The configuration of tandem, with every option at its default.
;
; A ";" begins a comment. A line is KEY = VALUE, and the options before the first [section]
; are the global ones. Durations have a unit: 500ms, 10s, 5min, 1h. Sizes are bytes, or a
; string with a unit: "64 KiB", "1 MiB".
;
; Routes have sections of their own: see the end of this file. What is said to be by route is
; what routes have that don't say otherwise.
;
; `tandem --check-config` reports everything in here that tandem would not accept.
)";

constexpr std::string_view file_routes = R"(
;; Routes

; Any number of sections [route.NAME], each with paths of its own, and with whatever else it
; has in another way than the options above. Without any, there is one route by the global
; options.
;
; [route.gpu]
; client-path = "/gpu/{key}"
; worker-path = "/gpu-worker/{key}"
; mode = "pool"
; on-peer-loss = "rematch"
; compression { mode = "off" }
)";

constexpr std::string_view page_head = R"(# Configuration

<!-- Written by tandem-config-docs from the table in config/options.cpp. Change that, not this. -->

Every option has a default, so tandem runs without any configuration. Options come from a config file and from the
command line:

1. An option on the command line overrides the config file.
2. The config file overrides the defaults.

The config file is the one that `--config-file` names; otherwise `tandem.conf` in the working directory; otherwise
`/etc/tandem/tandem.conf`; otherwise there is none. Files are not merged: the first that exists is the one that counts.

Before anything starts, all of it is checked: unknown options, values of a wrong type or out of range, options that are
set twice. Every problem is reported with its file and line, and what would be accepted:

```
tandem.conf:3: pair-timeot: unknown option; did you mean pair-timeout?
tandem.conf:7: heartbeat.timeout: 2h is out of range; takes a duration from 50ms to 1h, such as 20s
```

`--check-config` does only that. `--dump-config` prints the configuration in effect, as a config file.
[config/tandem.conf](../config/tandem.conf) has every option at its default, with its explanation.

## Syntax

The file is read by the grammar of the C++ Actor Framework, an INI dialect:

```ini
; A comment begins with a semicolon and may follow a value.
listen = ["127.0.0.1:8080", "[::1]:8080"] ; a list
on-conflict = "replace"                   ; text
pair-timeout = 90s                        ; a duration
pending-bytes = "64 KiB"                  ; a size

[heartbeat]
timeout = 5s
```

- Global options stand above the first section, or below `[global]`. An option named `heartbeat.timeout` is `timeout`
  below `[heartbeat]` in the file, and `--heartbeat.timeout` on the command line.
- Text stands in double quotes. An option that takes one of a few words also takes it as an atom: `'replace'`.
- A list may be spread over several lines, and may end with a comma.
- A number with a leading zero is octal in this grammar, so tandem refuses it.
- Line ends may be those of Unix or DOS. A byte order mark is skipped.

| | units | in the file | on the command line |
|---|---|---|---|
| duration | `ms`, `s`, `min`, `h`; whole milliseconds | `10s`, `"10 s"` | `10s` |
| size | `B`, `KiB`, `MiB`, `GiB`, `TiB`, `PiB`, each 1024 times the one before; none: bytes | `65536`, `"64 KiB"` | `64KiB` |
| list | | `["a", "b"]` | `a,b`, or the option repeated |

## Routes

Without more there is one route, which has the global `client-path` and `worker-path` and is named `default`. Sections
`[route.NAME]` make others instead, any number up to 1000. NAME is of letters, digits, `-` and `_`.

```ini
stall-timeout = 10s ; for every route that doesn't say otherwise

[route.chat]
client-path = "/chat/{key}"
worker-path = "/chat-worker/{key}"
max-message-size = "64 KiB"
stall-timeout = 5s

[route.gpu]
client-path = "/gpu/{key}"
worker-path = "/gpu-worker/{key}"
mode = "pool"
select = "sticky"
sticky-by = "cookie:session"
compression { mode = "off" }
```

- A route may set each option whose description below ends with "By route"; what it doesn't set is as the global options
  have it. Those of a section are in a block, as `compression { mode = "off" }`, or below `[route.gpu.compression]`.
- A key belongs to its route: `/chat/a` and `/gpu/a` have nothing to do with each other.
- No path may fit two of all these patterns. The check says which, and names both.
- Routes stand in the config file alone. The command line has the global options.

## Command line

An option is given as `--NAME=VALUE` or `--NAME VALUE`. A list on the command line replaces the one of the file; any
other option that is given twice has its last value.

| | |
|---|---|
)";

} // namespace

std::string help_text() {
  auto result = std::string{help_head};
  for (const auto& x : flags())
    result.append(help_entry(x.name, x.value, x.help));
  walk([&](const option& row) { result.append("\n").append(row.topic).append(":\n"); },
       [&](const option& row) {
         auto text = joined({std::string{row.help}, range_sentence(row), route_sentence(row),
                             "Default: " + show(row, settings{})});
         result.append(help_entry(row.name, placeholder(row), text));
       });
  return result;
}

std::string dump(const settings& values) {
  std::string result;
  std::string_view section;
  for (const auto& row : options()) {
    if (row.section() != section)
      result.append("\n").append(header(row));
    section = row.section();
    result.append(entry(row, values));
  }
  for (const auto& x : values.named_routes)
    result.append(route_text(x, values));
  return result;
}

std::string default_file() {
  auto result = std::string{file_head};
  walk(
      [&](const option& row) {
        result.append("\n;; ").append(row.topic).append("\n\n").append(header(row));
      },
      [&](const option& row) {
        if (!result.ends_with("\n\n"))
          result.append("\n");
        result.append(wrapped(row.help, "; "));
        result.append(wrapped(joined({range_sentence(row), route_sentence(row)}), "; "));
        result.append(entry(row, settings{}));
      });
  return result.append(file_routes);
}

std::string reference_page() {
  auto result = std::string{page_head};
  for (const auto& x : flags()) {
    auto name = "--" + std::string{x.name}.append(x.value.empty() ? "" : "=").append(x.value);
    result.append("| ").append(code(name)).append(" | ").append(x.help).append(" |\n");
  }
  walk(
      [&](const option& row) {
        result.append("\n## ").append(row.topic).append("\n\n");
        result.append("| option | default | accepted | |\n|---|---|---|---|\n");
      },
      [&](const option& row) {
        result.append("| ").append(code(row.name)).append(" | ");
        result.append(code(show(row, settings{}))).append(" | ").append(range_sentence(row));
        result.append(" | ").append(joined({std::string{row.help}, route_sentence(row)}));
        result.append(" |\n");
      });
  return result;
}

} // namespace tandem::config
