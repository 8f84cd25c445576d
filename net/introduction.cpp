#include "net/introduction.hpp"

#include "actors/hash.hpp"
#include "net/subprotocol.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

namespace tandem::net {

namespace http = boost::beast::http;

namespace {

constexpr int32_t highest_priority = 1000;

/// The value of some part of a request, or what is wrong with it.
struct finding {
  std::optional<std::string> value{};
  std::optional<route_fault> fault{};
};

route_fault bad(std::string detail) {
  return {refusal::bad_request, std::move(detail)};
}

/// Cuts what stands before the first `mark`, or all, off `text`.
std::string_view cut(std::string_view& text, char mark) {
  auto end = std::min(text.find(mark), text.size());
  auto part = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return part;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t";
  text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
  return text.substr(0, text.find_last_not_of(blanks) + 1);
}

/// Of several parameters of that name the first counts.
finding find_parameter(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    auto value = cut(query, '&');
    if (percent_decode(cut(value, '=')) != name)
      continue;
    if (auto decoded = percent_decode(value))
      return {std::move(decoded)};
    return {{},
            bad("the query's " + std::string{name} +
                " has a percent sign without two hexadecimal digits")};
  }
  return {};
}

/// By RFC 6265, section 5.4, as far as servers have to read it. Of several cookies of that name the
/// first counts.
finding find_cookie(const upgrade_request& request, std::string_view name) {
  auto [first, last] = request.equal_range(http::field::cookie);
  for (; first != last; ++first) {
    std::string_view rest{first->value().data(), first->value().size()};
    while (!rest.empty()) {
      auto value = cut(rest, ';');
      if (trimmed(cut(value, '=')) == name)
        return {std::string{trimmed(value)}};
    }
  }
  return {};
}

finding find_header(const upgrade_request& request, const std::string& name) {
  if (request.count(name) == 0)
    return {};
  return {joined(request, name)};
}

finding find(const request_value& what, const upgrade_request& request, std::string_view query) {
  switch (what.in) {
  case request_value::part::none:
    return {};
  case request_value::part::query:
    return find_parameter(query, what.name);
  case request_value::part::header:
    return find_header(request, what.name);
  case request_value::part::cookie:
    return find_cookie(request, what.name);
  }
  return {};
}

/// Sets `to` to the whole number that the query gives as `name`, if it gives any.
template <class T>
std::optional<route_fault> read_number(std::string_view query, std::string_view name, T least,
                                       T most, T& to) {
  auto [value, fault] = find_parameter(query, name);
  if (!value || fault)
    return fault;
  T number{};
  const auto* end = value->data() + value->size();
  auto [stop, error] = std::from_chars(value->data(), end, number);
  if (error != std::errc{} || stop != end || number < least || number > most)
    return bad("the query's " + std::string{name} + " isn't a whole number from " +
               std::to_string(least) + " to " + std::to_string(most));
  to = number;
  return std::nullopt;
}

std::optional<route_fault> introduce_client(const upgrade_request& request,
                                            const route_match& match, const route& where,
                                            peer_info& who) {
  who.target = match.target;
  for (const auto& name : where.open_headers)
    if (request.count(name) != 0)
      who.headers.emplace_back(name, joined(request, name));
  auto [sticky, fault] = find(where.sticky_by, request, match.query);
  if (fault)
    return fault;
  if (sticky)
    who.sticky = stable_hash(*sticky);
  if (where.priority_by.in == request_value::part::none)
    return std::nullopt;
  return read_number(match.query, where.priority_by.name, -highest_priority, highest_priority,
                     who.priority);
}

std::optional<route_fault> introduce_worker(const route_match& match, const route& where,
                                            peer_info& who) {
  if (where.shares && who.frames == framing::raw)
    return bad("many clients share a worker here, so it has to offer the subprotocol tandem.v1 or "
               "tandem.json.v1");
  if (where.shares)
    who.capacity = where.max_capacity;
  if (!where.pools)
    return std::nullopt;
  auto [name, fault] = find_parameter(match.query, "id");
  if (fault)
    return fault;
  if (name) {
    if (auto why = name_fault(*name); !why.empty())
      return bad("the query's id " + why);
    who.sticky = stable_hash(*name);
  }
  if (auto wrong = read_number(match.query, "capacity", 1U, where.max_capacity, who.capacity))
    return wrong;
  if (who.frames == framing::raw && who.capacity != 1)
    return bad("a worker with a capacity has to offer the subprotocol tandem.v1 or tandem.json.v1");
  return std::nullopt;
}

} // namespace

std::string joined(const upgrade_request& request, boost::beast::string_view name) {
  std::string list;
  auto [first, last] = request.equal_range(name);
  for (; first != last; ++first)
    list.append(list.empty() ? "" : ", ").append(first->value());
  return list;
}

std::optional<route_fault> introduce(const upgrade_request& request, const route_match& match,
                                     const route& where, peer_info& who, claim& asked) {
  who.side = match.side;
  who.key = match.key;
  who.route = match.route;
  const auto offered = joined(request, "Sec-WebSocket-Protocol");
  who.frames = offered_framing(offered);
  who.subprotocol = subprotocol_of(who.frames);
  auto fault = match.side == role::client ? introduce_client(request, match, where, who)
                                          : introduce_worker(match, where, who);
  if (fault)
    return fault;
  if (who.frames == framing::raw)
    asked.subprotocols = matching_subprotocols(offered, where.subprotocols);
  else if (auto wrong = read_number(match.query, "credit", int64_t{0},
                                    int64_t{std::numeric_limits<uint32_t>::max()}, who.credit))
    return wrong;
  asked.side = who.side;
  asked.key = who.key;
  asked.route = who.route;
  asked.frames = who.frames;
  asked.capacity = who.capacity;
  asked.sticky = who.sticky;
  asked.priority = who.priority;
  return std::nullopt;
}

} // namespace tandem::net
