#include "config/ini_recorder.hpp"

#include <caf/pec.hpp>

#include <algorithm>
#include <utility>

namespace tandem::config {

namespace {

/// CAF's parser recurses for each level; nobody needs more.
constexpr size_t max_depth = 16;

bool is_key_char(char ch) noexcept {
  return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') ||
         ch == '_' || ch == '-';
}

bool is_blank(char ch) noexcept {
  return ch == ' ' || ch == '\t';
}

bool looks_like_start(const char* at, const char* end) noexcept {
  at = std::find_if_not(at, end, is_blank);
  auto header = at != end && *at == '[';
  const auto* name = at + (header ? 1 : 0);
  // A key has no dots, but whoever writes one means an entry, and has to be told.
  const auto* rest =
      std::find_if_not(name, end, [](char ch) { return is_key_char(ch) || ch == '.'; });
  const auto* next = std::find_if_not(rest, end, is_blank);
  return rest != name && next != end && *next == (header ? ']' : '=');
}

} // namespace

ini_recorder::ini_recorder(const source_text& source, ini_cursor& at,
                           std::optional<std::string> section, ini_document& out)
    : source_(source), at_(at), boundary_(at.i), section_(std::move(section)), out_(out) {
  frames_.push_back({kind::root});
}

void ini_recorder::key(std::string name) {
  if (stop_)
    return;
  auto& top = frames_.back();
  if (top.is == kind::root) {
    // Without a header before it, the parser has come upon an entry outside of any section. That is
    // right at the begin. Later it means that something stands behind a value, which the parser
    // then takes for an entry of the global section, whatever section it is in.
    auto implicit = skip_space(boundary_) == at_.i;
    if (implicit && seen_section_)
      return stop("");
    seen_section_ = true;
    if (!implicit)
      announce(name == "global" ? "" : name);
    next_ = section_ ? frame{kind::section, *section_} : frame{kind::block};
  } else {
    top.key = std::move(name);
    top.line = source_.line(at_.i);
    top.awaits_value = true;
  }
  boundary_ = at_.i + (at_.current() == '=' ? 1 : 0);
}

void ini_recorder::begin_map() {
  if (stop_)
    return;
  const auto& top = frames_.back();
  if (top.is == kind::root)
    return push(std::move(next_));
  if (top.is != kind::section)
    return push({kind::block});
  auto path = full_name(top.path, top.key);
  if (at_.i[-1] == '{')
    out_.sections.push_back({path, top.line});
  else
    announce(path);
  push({kind::section, std::move(path)});
}

void ini_recorder::begin_list() {
  if (stop_)
    return;
  push({.is = kind::list, .line = source_.line(at_.i - 1)});
}

void ini_recorder::end_map() {
  if (stop_)
    return;
  frames_.pop_back();
  auto& top = frames_.back();
  if (top.is == kind::list)
    store({value::block{}, {}, source_.line(at_.i)});
  top.awaits_value = false;
  boundary_ = at_.i;
  // The section of a header, which ends without a brace, has only the root around it.
  if (frames_.size() > 1 && at_.current() == '}')
    value_end_ = ++boundary_;
}

void ini_recorder::end_list() {
  if (stop_)
    return;
  auto list = std::move(frames_.back());
  frames_.pop_back();
  boundary_ = value_end_ = at_.i + 1;
  store({std::move(list.items), {}, list.line});
}

void ini_recorder::take(decltype(value::data) data) {
  if (stop_)
    return;
  const auto* begin = skip_space(boundary_);
  boundary_ = value_end_ = at_.i;
  store({std::move(data), std::string{source_.slice(begin, at_.i)}, source_.line(begin)});
}

void ini_recorder::store(value x) {
  auto& top = frames_.back();
  if (top.is == kind::list) {
    top.items.push_back(std::move(x));
  } else if (top.is == kind::section) {
    out_.entries.push_back({top.path, top.key, std::move(x), top.line});
    last_key_ = full_name(top.path, top.key);
  }
  top.awaits_value = false;
}

void ini_recorder::announce(const std::string& section) {
  section_ = section;
  if (!section.empty())
    out_.sections.push_back({section, source_.line(at_.i)});
}

void ini_recorder::push(frame x) {
  boundary_ = at_.i;
  if (frames_.size() == max_depth)
    return stop("more than " + std::to_string(max_depth) + " levels of lists and sections");
  frames_.push_back(std::move(x));
}

void ini_recorder::stop(std::string message) {
  stop_ = {at_.i, std::move(message)};
  // The parser can't be told to stop, but it does so at the end of its input.
  at_.e = at_.i;
}

const ini_recorder::frame* ini_recorder::innermost_section() const {
  auto found = std::find_if(frames_.rbegin(), frames_.rend(),
                            [](const frame& x) { return x.is == kind::section; });
  return found == frames_.rend() ? nullptr : &*found;
}

const ini_recorder::frame* ini_recorder::awaiting() const {
  const auto* section = innermost_section();
  return section && section->awaits_value ? section : nullptr;
}

bool ini_recorder::in_header() const {
  const auto* next = skip_space(boundary_);
  return frames_.size() == 1 && next != source_.end() && *next == '[';
}

bool ini_recorder::after_value() const {
  return !awaiting() && value_end_ && source_.line(value_end_) == source_.line(stopped_at());
}

const char* ini_recorder::skip_space(const char* from) const noexcept {
  for (; from != source_.end(); ++from) {
    if (*from == ';')
      from = std::find(from, source_.end(), '\n');
    if (from == source_.end() || (!is_blank(*from) && *from != '\n' && *from != ','))
      break;
  }
  return from;
}

std::string_view ini_recorder::token() const {
  const auto* begin = stopped_at();
  const auto* end = begin;
  // What the parser stumbles over within a value is the whole word.
  while (awaiting() && begin != source_.begin() && is_key_char(begin[-1]) && is_key_char(*end))
    --begin;
  while (end != source_.end() && is_key_char(*end))
    ++end;
  auto is_rest_of_character = [](char ch) { return (ch & 0xC0) == 0x80; };
  if (begin == end)
    end = std::find_if_not(begin + 1, source_.end(), is_rest_of_character);
  return source_.slice(begin, end);
}

std::string ini_recorder::reason() const {
  using caf::pec;
  switch (stop_ ? pec::trailing_character : at_.code) {
  case pec::unexpected_eof:
    return "the file ends too early";
  case pec::unexpected_newline:
    return "the line ends too early";
  case pec::fractional_timespan:
    return "a duration has no fraction";
  case pec::too_many_characters:
    return "an atom has at most 10 characters: write it in double quotes";
  case pec::illegal_escape_sequence:
    return R"(only \n, \r, \t, \\ and \" may follow a backslash)";
  case pec::integer_overflow:
  case pec::integer_underflow:
  case pec::exponent_overflow:
  case pec::exponent_underflow:
    return "the number has too many digits";
  default: // CAF's enum has codes for other parsers too.
    return "unexpected '" + printable(token()) + "'";
  }
}

std::string ini_recorder::hint() const {
  const auto* at = stopped_at();
  auto ch = at == source_.end() ? '\n' : *at;
  if (ch == '#')
    return R"(; a comment begins with ";")";
  if (frames_.back().is == kind::list)
    return " in the list that begins in line " + std::to_string(frames_.back().line) +
           (at == source_.end() ? "" : ", whose values are separated by commas");
  if (awaiting())
    return "";
  if (after_value())
    return " after the value";
  if (in_header())
    return "; a section is [NAME]";
  if (ch == '.' && at != source_.begin() && is_key_char(at[-1]))
    return "; the options of a section stand below its [NAME], without it";
  return R"(; a line is KEY = VALUE, [SECTION] or a comment that begins with ";")";
}

std::optional<ini_fault> ini_recorder::fault() const {
  if (!stop_ && at_.code <= caf::pec::trailing_character && at_.i == source_.end())
    return std::nullopt;
  const auto* at = stopped_at();
  // The place behind the last newline is no line of its own.
  if (at == source_.end() && at != source_.begin() && at[-1] == '\n')
    --at;
  if (!stop_ && at_.code == caf::pec::unexpected_character)
    at = token().data();
  const auto* section = awaiting();
  auto key = section ? full_name(section->path, section->key) : after_value() ? last_key_ : "";
  return ini_fault{source_.line(at), source_.column(at), std::move(key),
                   stop_ && !stop_->why.empty() ? stop_->why : reason() + hint()};
}

std::optional<std::string> ini_recorder::section() const {
  if (in_header())
    return std::nullopt;
  const auto* section = innermost_section();
  return section ? section->path : section_;
}

const char* ini_recorder::resume_at() const {
  const auto* at = source_.line_begin(stopped_at());
  // What failed has to be left behind, or it fails again.
  if (at <= boundary_)
    at = source_.next_line(stopped_at());
  while (at != source_.end() && !looks_like_start(at, source_.end()))
    at = source_.next_line(at);
  return at;
}

} // namespace tandem::config
