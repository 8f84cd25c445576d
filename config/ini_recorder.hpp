/// From the events of CAF's parser to what the file says. For ini.cpp alone.
#pragma once

#include "config/ini.hpp"
#include "config/source_text.hpp"
#include "config/value.hpp"

#include <caf/parser_state.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tandem::config {

/// Where CAF's parser is. A type of our own, so that the parser finds functions of ours by it.
struct ini_cursor : caf::parser_state<const char*> {
  using caf::parser_state<const char*>::parser_state;
};

/// Turns the events of one run of the parser into entries and sections.
class ini_recorder {
public:
  /// `section` is the one that entries belong to before the first header; without one they are
  /// dropped.
  ini_recorder(const source_text& source, ini_cursor& at, std::optional<std::string> section,
               ini_document& out);

  // What the parser calls, by way of a sink.

  void key(std::string name);
  void begin_map();
  void begin_list();
  void end_map();
  void end_list();
  void take(decltype(value::data) data);

  // What came of it.

  /// Why and where the parser stopped, if it did so before the end of the text.
  std::optional<ini_fault> fault() const;

  /// The section that the parser was in when it stopped; none after a broken header.
  std::optional<std::string> section() const;

  /// Where to read on after a fault: the next line that looks like an entry or a section.
  const char* resume_at() const;

private:
  enum class kind { root, section, list, block };

  struct frame {
    kind is;
    /// Of a section.
    std::string path = {};
    /// The key that was read last, its line, and whether its value is yet to come.
    std::string key = {};
    int line = 0;
    bool awaits_value = false;
    /// Of a list.
    value::list items = {};
  };

  void announce(const std::string& section);
  void store(value x);
  void push(frame x);
  void stop(std::string message);
  const frame* awaiting() const;
  const frame* innermost_section() const;
  bool in_header() const;
  bool after_value() const;
  const char* skip_space(const char* from) const noexcept;
  const char* stopped_at() const noexcept { return stop_ ? stop_->at : at_.i; }
  std::string_view token() const;
  std::string reason() const;
  std::string hint() const;

  const source_text& source_;
  ini_cursor& at_;
  /// Where the last event was.
  const char* boundary_;
  /// That of the last header.
  std::optional<std::string> section_;
  ini_document& out_;
  std::vector<frame> frames_;
  /// What the next map in the root will be.
  frame next_ = {kind::root};
  bool seen_section_ = false;
  /// Where the last whole value ends, and the full name of the last key that has got one.
  const char* value_end_ = nullptr;
  std::string last_key_;

  struct stopped {
    const char* at;
    std::string why;
  };
  /// Set if we, not the parser, gave up.
  std::optional<stopped> stop_;
};

} // namespace tandem::config
