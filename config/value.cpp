#include "config/value.hpp"

#include "config/problem.hpp"

#include <algorithm>

namespace tandem::config {

namespace {

struct kind_of {
  std::string_view operator()(bool) const { return "the boolean"; }
  std::string_view operator()(int64_t) const { return "the number"; }
  std::string_view operator()(double) const { return "the fraction"; }
  std::string_view operator()(caf::timespan) const { return "the duration"; }
  std::string_view operator()(const value::atom&) const { return "the atom"; }
  std::string_view operator()(const std::string&) const { return "the text"; }
  std::string_view operator()(const value::uri&) const { return "the URI"; }
  std::string_view operator()(const value::block&) const { return "a { } block"; }
  std::string_view operator()(const value::list&) const { return "a list"; }
};

} // namespace

std::string describe(const value& x) {
  auto result = std::string{std::visit(kind_of{}, x.data)};
  return x.text.empty() ? result : result.append(" ").append(printable(x.text));
}

std::string_view number_fault(const value& x) noexcept {
  if (!std::holds_alternative<int64_t>(x.data) && !std::holds_alternative<caf::timespan>(x.data))
    return {};
  auto is_digit = [](char ch) { return ch >= '0' && ch <= '9'; };
  auto digits = std::string_view{x.text};
  digits.remove_prefix(std::min(digits.find_first_not_of("+-"), digits.size()));
  if (digits.size() > 1 && digits[0] == '0' && is_digit(digits[1]))
    return "is octal by its leading zero";
  auto based = digits.starts_with("0x") || digits.starts_with("0X") || digits.starts_with("0b") ||
               digits.starts_with("0B");
  auto has_digits = based ? digits.size() > 2 : !digits.empty() && is_digit(digits[0]);
  return has_digits ? "" : "has no digits";
}

} // namespace tandem::config
