/// The table of options: the one source of the defaults, the check, the command line, the help
/// text, the default config file and the reference page.
#pragma once

#include "config/settings.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace tandem::config {

/// The values that an option accepts: `least` to `most`, both included.
template <class T>
struct bounds {
  T least;
  T most;
  /// What 0 means, where 0 is accepted too. Empty: it isn't.
  std::string_view zero = {};

  constexpr bool contain(T x) const { return x == T{} ? !zero.empty() : least <= x && x <= most; }
};

/// A duration in whole milliseconds.
struct duration_option {
  std::chrono::milliseconds settings::*member;
  std::chrono::milliseconds fallback;
  bounds<std::chrono::milliseconds> accepted;
};

/// A size in bytes.
struct size_option {
  uint64_t settings::*member;
  uint64_t fallback;
  bounds<uint64_t> accepted;
};

/// A plain number.
struct count_option {
  size_t settings::*member;
  size_t fallback;
  bounds<size_t> accepted;
};

/// One word of a few.
template <class Enum>
struct choice_option {
  Enum settings::*member;
  Enum fallback;
  /// In the order of the enumerators, which count up from 0.
  std::vector<std::string_view> words;
};

/// The path of a URL, with a segment `{key}`.
struct path_option {
  std::string settings::*member;
  std::string_view fallback;
};

/// Addresses to listen on, at least one.
struct endpoints_option {
  std::vector<endpoint> settings::*member;
  std::vector<endpoint> fallback;
};

/// Any number of names.
struct names_option {
  std::vector<std::string> settings::*member;
  std::vector<std::string> fallback;
  /// Whose names they are, in the plural.
  std::string_view whose;
  /// A list that a message may show.
  std::string_view example;
  /// Only tokens of HTTP (RFC 9110, section 5.6.2).
  bool tokens = false;
  /// How tandem's own names begin, which can't be listed; empty if there are none.
  std::string_view reserved = {};
};

/// The name of a file; empty for none.
struct file_option {
  std::string settings::*member;
  std::string_view fallback;
  /// A name that a message may show.
  std::string_view example;
};

/// Any number of names of files.
struct files_option {
  std::vector<std::string> settings::*member;
  std::vector<std::string> fallback;
  /// A list that a message may show.
  std::string_view example;
};

/// Any number of networks.
struct networks_option {
  std::vector<network> settings::*member;
  std::vector<network> fallback;
};

/// A named value in a request: "query:NAME"; empty for none.
struct request_value_option {
  request_value settings::*member;
  request_value fallback;
  /// Where it may be.
  std::vector<request_part> accepted;
};

/// What an option takes, what it is by default, and the field that it lands in.
using option_type =
    std::variant<duration_option, size_option, count_option, choice_option<conflict_policy>,
                 choice_option<loss_policy>, choice_option<toggle>, choice_option<placement>,
                 choice_option<log_level>, choice_option<certificate_demand>,
                 choice_option<tls_version>, choice_option<pairing_mode>, choice_option<selection>,
                 choice_option<reuse_policy>, path_option, endpoints_option, names_option,
                 file_option, files_option, networks_option, request_value_option>;

/// Modes of routes.
struct mode_set {
  bool exclusive = false;
  bool pool = false;
  bool shared = false;

  constexpr bool contain(pairing_mode x) const {
    return x == pairing_mode::exclusive ? exclusive : x == pairing_mode::pool ? pool : shared;
  }

  bool operator==(const mode_set&) const = default;
};

inline constexpr mode_set every_mode{true, true, true};

/// A row of the table.
struct option {
  /// As on the command line: "pair-timeout" is global, "heartbeat.timeout" belongs to the section
  /// [heartbeat].
  std::string_view name;
  /// The heading that it stands under in everything written for people.
  std::string_view topic;
  option_type type;
  /// A sentence or two.
  std::string_view help;
  /// The modes of the routes that may have a value of their own; none if it is the whole broker's.
  mode_set by_route = {};

  bool is_by_route() const noexcept { return by_route != mode_set{}; }

  /// The section of the config file; empty for the global one.
  std::string_view section() const noexcept;

  /// The name within its section.
  std::string_view key() const noexcept;
};

/// All options, in the order of the config file: first the global ones, then section by section.
std::span<const option> options();

/// The option of that full name, or null.
const option* find_option(std::string_view name);

/// The sections that options belong to, but the global one, in the order of the table.
std::vector<std::string_view> sections();

/// How the settings are for one route: with its own values in place of the global ones.
settings settings_for(const settings& all, const route& which);

} // namespace tandem::config
