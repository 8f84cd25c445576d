#include "config/load.hpp"

#include "config/check.hpp"

#include <cerrno>
#include <cstdio>
#include <iterator>
#include <memory>
#include <system_error>
#include <variant>

namespace tandem::config {

namespace {

namespace fs = std::filesystem;

constexpr const char* file_name = "tandem.conf";

/// In bytes. The default file has a hundredth of it.
constexpr size_t max_file_size = size_t{1} << 20;

std::optional<fs::path> find_file(const std::vector<fs::path>& directories) {
  for (const auto& directory : directories) {
    auto path = directory / file_name;
    std::error_code ignored;
    // What is there but can't be looked at is found: reading it tells why.
    if (fs::status(path, ignored).type() != fs::file_type::not_found)
      return path;
  }
  return std::nullopt;
}

/// The content of a file, or why it can't be read.
std::variant<std::string, problem> read_file(const fs::path& path) {
  auto failure = [&](const std::string& why) { return problem{path.string(), 0, 0, {}, why}; };
  auto system_failure = [&] {
    return failure("can't be read: " + std::generic_category().message(errno));
  };
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file{std::fopen(path.c_str(), "rb"),
                                                             std::fclose};
  if (!file)
    return system_failure();
  std::string text(max_file_size + 1, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  if (std::ferror(file.get()))
    return system_failure();
  if (text.size() > max_file_size)
    return failure("is no config file: it has more than 1 MiB");
  return text;
}

void append(std::vector<problem>& to, std::vector<problem>& from) {
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

} // namespace

outcome load(std::span<const std::string> arguments, const surroundings& around) {
  auto given = parse_arguments(arguments);
  outcome result;
  result.what = given.what;
  if (given.what == action::help || given.what == action::version)
    return result;
  result.problems = std::move(given.problems);
  result.config_file =
      given.config_file ? fs::path{*given.config_file} : find_file(around.directories);
  draft draft;
  if (result.config_file) {
    auto text = read_file(*result.config_file);
    if (auto* fault = std::get_if<problem>(&text))
      result.problems.push_back(std::move(*fault));
    else
      draft.read_file(std::get<std::string>(text), result.config_file->string());
  }
  for (const auto& [row, value] : given.values)
    draft.read_argument(*row, value);
  draft.check_routes();
  draft.check_proxies();
  draft.check_extensions(around.extensions);
  draft.check_tls(around.tls);
  append(result.problems, draft.problems());
  result.settings = draft.values();
  return result;
}

void read(std::string_view text, std::string_view name, settings& to,
          std::vector<problem>& problems) {
  draft draft{to};
  draft.read_file(text, name);
  draft.check_routes();
  draft.check_proxies();
  draft.check_tls({});
  append(problems, draft.problems());
  to = draft.values();
}

} // namespace tandem::config
