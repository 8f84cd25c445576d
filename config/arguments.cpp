#include "config/arguments.hpp"

#include "config/check.hpp"
#include "config/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <type_traits>

namespace tandem::config {

namespace {

constexpr std::array all_flags{
    flag{"config-file", "FILE", "Read this config file."},
    flag{"check-config", "", "Check the configuration, report every problem, and exit.",
         action::check},
    flag{"dump-config", "", "Print the configuration in effect as a config file, and exit.",
         action::dump},
    flag{"version", "", "Print the version and exit.", action::version},
    flag{"help", "", "Print this text and exit; -h does so too.", action::help},
};

bool is_list(const option& row) noexcept {
  return std::holds_alternative<endpoints_option>(row.type) ||
         std::holds_alternative<names_option>(row.type) ||
         std::holds_alternative<files_option>(row.type) ||
         std::holds_alternative<networks_option>(row.type);
}

/// The parts between the commas; none of an empty text.
value::list split(std::string_view text) {
  value::list result;
  while (!text.empty()) {
    auto end = std::min(text.find(','), text.size());
    auto part = std::string{text.substr(0, end)};
    result.push_back({part, part});
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return result;
}

/// The value that `text` stands for. What isn't what the option takes stays text, for its check to
/// refuse.
value to_value(const option& row, const std::string& text) {
  if (is_list(row))
    return {split(text), {}};
  if (std::holds_alternative<count_option>(row.type)) {
    int64_t number = 0;
    auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (ec == std::errc{} && end == text.data() + text.size())
      return {number, text};
  }
  return {text, text};
}

/// Reads one argument after the other.
class reader {
public:
  explicit reader(std::span<const std::string> arguments) : rest_(arguments) {}

  command_line run() &&;

private:
  /// `name` is without its dashes; `value` is what an equals sign gave.
  void read(const std::string& name, std::optional<std::string> value);
  void read_flag(const flag& what, std::optional<std::string> value);
  void set(const option& row, value x);

  /// What the next argument gives as the value of `name`, unless it is another flag.
  std::optional<std::string> next_value(const std::string& name, const std::string& takes);

  void fail(std::string key, std::string message) {
    result_.problems.push_back({{}, 0, 0, std::move(key), std::move(message)});
  }

  std::span<const std::string> rest_;
  command_line result_;
};

command_line reader::run() && {
  while (!rest_.empty()) {
    const auto& argument = rest_.front();
    rest_ = rest_.subspan(1);
    if (argument == "-h") {
      read("help", std::nullopt);
    } else if (argument.starts_with("--") && argument.size() > 2) {
      auto equals = argument.find('=');
      auto name = argument.substr(2, equals == std::string::npos ? equals : equals - 2);
      read(name,
           equals == std::string::npos ? std::nullopt : std::optional{argument.substr(equals + 1)});
    } else {
      fail(printable(argument), "unknown argument; options are --NAME=VALUE or --NAME VALUE");
    }
  }
  return std::move(result_);
}

void reader::read(const std::string& name, std::optional<std::string> value) {
  auto known = std::ranges::find(all_flags, name, &flag::name);
  if (known != all_flags.end())
    return read_flag(*known, std::move(value));
  if (const auto* row = find_option(name)) {
    if (!value)
      value = next_value(name, accepted_with_example(*row));
    if (value)
      set(*row, to_value(*row, *value));
    return;
  }
  std::vector<std::string_view> flag_names;
  flag_names.reserve(all_flags.size());
  for (const auto& x : all_flags)
    flag_names.push_back(x.name);
  fail("--" + printable(name), "unknown option" + suggest_option(name, "--", flag_names));
  // Most likely its value, which isn't a mistake of its own.
  if (!value && !rest_.empty() && !rest_.front().starts_with("-"))
    rest_ = rest_.subspan(1);
}

void reader::read_flag(const flag& what, std::optional<std::string> value) {
  auto name = std::string{what.name};
  if (what.value.empty()) {
    if (value)
      fail("--" + name, "takes no value");
    result_.what = std::max(result_.what, what.what);
    return;
  }
  if (!value)
    value = next_value(name, "the path of a file");
  if (value && value->empty())
    fail("--" + name, "takes the path of a file, but this is empty");
  else if (value)
    result_.config_file = std::move(value);
}

std::optional<std::string> reader::next_value(const std::string& name, const std::string& takes) {
  if (rest_.empty() || rest_.front().starts_with("--")) {
    fail("--" + name, "takes " + takes + ", but no value is given");
    return std::nullopt;
  }
  auto result = rest_.front();
  rest_ = rest_.subspan(1);
  return result;
}

void reader::set(const option& row, value x) {
  auto found =
      std::ranges::find(result_.values, &row, &decltype(result_.values)::value_type::first);
  if (found == result_.values.end()) {
    result_.values.emplace_back(&row, std::move(x));
  } else if (auto* more = std::get_if<value::list>(&x.data)) {
    auto& list = std::get<value::list>(found->second.data);
    list.insert(list.end(), more->begin(), more->end());
  } else {
    found->second = std::move(x);
  }
}

} // namespace

std::span<const flag> flags() {
  return all_flags;
}

command_line parse_arguments(std::span<const std::string> arguments) {
  return reader{arguments}.run();
}

} // namespace tandem::config
