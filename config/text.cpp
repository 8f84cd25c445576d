#include "config/text.hpp"

#include "config/endpoint.hpp"
#include "config/network.hpp"
#include "config/request_value.hpp"
#include "config/units.hpp"

#include <vector>

namespace tandem::config {

namespace {

std::string show_value(std::chrono::milliseconds x) {
  return format_duration(x);
}

std::string show_value(size_t x) {
  return std::to_string(x);
}

std::string show_value(const std::string& x) {
  return quoted(x);
}

std::string show_value(const endpoint& x) {
  return quoted(to_string(x));
}

std::string show_value(const request_value& x) {
  return quoted(to_string(x));
}

std::string show_value(const network& x) {
  return quoted(to_string(x));
}

template <class T>
std::string show_value(const std::vector<T>& xs) {
  std::string result;
  for (const auto& x : xs)
    result.append(result.empty() ? "" : ", ").append(show_value(x));
  return "[" + result + "]";
}

template <class Option>
std::string show_field(const Option& type, const settings& from) {
  return show_value(from.*type.member);
}

std::string show_field(const size_option& type, const settings& from) {
  return quoted(format_size(from.*type.member));
}

template <class Enum>
std::string show_field(const choice_option<Enum>& type, const settings& from) {
  return quoted(type.words[static_cast<size_t>(from.*type.member)]);
}

template <class T>
std::string range(const bounds<T>& x, std::string (*format)(T)) {
  auto result = "from " + format(x.least) + " to " + format(x.most);
  return x.zero.empty() ? result : result.append(" (0: ").append(x.zero).append(")");
}

std::string one_of(const std::vector<std::string_view>& words) {
  std::string result;
  for (size_t i = 0; i < words.size(); ++i)
    result.append(i == 0 ? "" : i + 1 < words.size() ? ", " : " or ").append(quoted(words[i]));
  return result;
}

struct placeholder_visitor {
  std::string operator()(const duration_option&) const { return "DURATION"; }
  std::string operator()(const size_option&) const { return "SIZE"; }
  std::string operator()(const count_option&) const { return "NUMBER"; }
  template <class Enum>
  std::string operator()(const choice_option<Enum>& x) const {
    std::string result;
    for (auto word : x.words)
      result.append(result.empty() ? "" : "|").append(word);
    return result;
  }
  std::string operator()(const path_option&) const { return "PATH"; }
  std::string operator()(const endpoints_option&) const { return "LISTENER,..."; }
  std::string operator()(const names_option&) const { return "NAME,..."; }
  std::string operator()(const file_option&) const { return "FILE"; }
  std::string operator()(const files_option&) const { return "FILE,..."; }
  std::string operator()(const networks_option&) const { return "NETWORK,..."; }
  std::string operator()(const request_value_option&) const { return "PART:NAME"; }
};

struct accepted_visitor {
  std::string operator()(const duration_option& x) const {
    return "a duration " + range(x.accepted, format_duration);
  }
  std::string operator()(const size_option& x) const {
    return "a size " + range(x.accepted, format_size);
  }
  std::string operator()(const count_option& x) const {
    return "a whole number " + range<size_t>(x.accepted, std::to_string);
  }
  template <class Enum>
  std::string operator()(const choice_option<Enum>& x) const {
    return one_of(x.words);
  }
  std::string operator()(const path_option&) const {
    return R"(a path that starts with "/" and has one segment "{key}")";
  }
  std::string operator()(const endpoints_option&) const {
    return R"(a list of at least one "ADDRESS:PORT", "wss://ADDRESS:PORT" or "unix:PATH")";
  }
  std::string operator()(const names_option& x) const {
    return "a list of names of " + std::string{x.whose};
  }
  std::string operator()(const file_option&) const { return "the name of a file"; }
  std::string operator()(const files_option&) const { return "a list of names of files"; }
  std::string operator()(const networks_option&) const {
    return R"(a list of IP addresses, networks, or "unix")";
  }
  std::string operator()(const request_value_option& x) const {
    std::vector<std::string> words{""};
    for (auto part : x.accepted)
      words.push_back(std::string{to_word(part)} + ":NAME");
    return one_of({words.begin(), words.end()});
  }
};

struct example_visitor {
  template <class Option>
  std::string operator()(const Option& x) const {
    return show_field(x, settings{});
  }
  std::string operator()(const count_option&) const { return {}; }
  template <class Enum>
  std::string operator()(const choice_option<Enum>&) const {
    return {};
  }
  std::string operator()(const names_option& x) const { return std::string{x.example}; }
  std::string operator()(const file_option& x) const { return std::string{x.example}; }
  std::string operator()(const files_option& x) const { return std::string{x.example}; }
  std::string operator()(const networks_option&) const {
    return R"(["127.0.0.1", "10.0.0.0/8", "unix"])";
  }
  std::string operator()(const request_value_option& x) const {
    return quoted(std::string{to_word(x.accepted.front())} + ":user");
  }
};

} // namespace

std::string placeholder(const option& row) {
  return std::visit(placeholder_visitor{}, row.type);
}

std::string accepted(const option& row) {
  return std::visit(accepted_visitor{}, row.type);
}

std::string accepted_with_example(const option& row) {
  auto example = std::visit(example_visitor{}, row.type);
  return example.empty() ? accepted(row) : accepted(row) + ", such as " + example;
}

std::string show(const mode_set& modes) {
  const auto& row = std::get<choice_option<pairing_mode>>(find_option("mode")->type);
  std::vector<std::string_view> words;
  for (size_t i = 0; i < row.words.size(); ++i)
    if (modes.contain(static_cast<pairing_mode>(i)))
      words.push_back(row.words[i]);
  return one_of(words);
}

std::string show(const option& row, const settings& from) {
  return std::visit([&](const auto& type) { return show_field(type, from); }, row.type);
}

std::string quoted(std::string_view text) {
  std::string result = "\"";
  for (auto ch : text) {
    switch (ch) {
    case '\n':
      result.append("\\n");
      break;
    case '\r':
      result.append("\\r");
      break;
    case '\t':
      result.append("\\t");
      break;
    case '\\':
    case '"':
      result.append("\\");
      [[fallthrough]];
    default:
      result.push_back(ch);
    }
  }
  return result.append("\"");
}

} // namespace tandem::config
