#include "actors/error.hpp"

#include "net/frame.hpp"

#include <caf/exit_reason.hpp>
#include <caf/sec.hpp>
#include <catch2/catch.hpp>

#include <algorithm>
#include <set>

using namespace tandem;

namespace {

/// From RFC 6455, section 5.5.1: a control frame's 125 bytes less the code.
constexpr size_t longest_close_text = 123;

std::vector<end_reason> all_end_reasons() {
  std::vector<end_reason> all;
  for (uint8_t i = 1; i <= end_reason_count; ++i)
    all.push_back(static_cast<end_reason>(i));
  return all;
}

std::vector<refusal> all_refusals() {
  std::vector<refusal> all;
  for (uint8_t i = 0; i < refusal_count; ++i)
    all.push_back(static_cast<refusal>(i));
  return all;
}

/// Fails to compile, with warnings as errors, when an enumerator is added: all_end_reasons and the
/// table have to end with the last one.
bool is_last(end_reason reason) {
  switch (reason) {
  case end_reason::closed_by_peer:
  case end_reason::vanished:
  case end_reason::shutting_down:
  case end_reason::protocol_error:
  case end_reason::invalid_utf8:
  case end_reason::invalid_deflate:
  case end_reason::too_big:
  case end_reason::broker_fault:
  case end_reason::replaced:
  case end_reason::no_peer_in_time:
  case end_reason::stalled:
  case end_reason::peer_closed:
  case end_reason::peer_lost:
  case end_reason::heartbeat_missed:
  case end_reason::overloaded:
  case end_reason::no_worker_in_time:
    return false;
  case end_reason::drained:
    return true;
  }
  return false;
}

/// As is_last(end_reason).
bool is_last(refusal why) {
  switch (why) {
  case refusal::none:
  case refusal::bad_request:
  case refusal::unknown_route:
  case refusal::bad_method:
  case refusal::key_taken:
  case refusal::not_a_websocket:
  case refusal::bad_version:
  case refusal::head_too_large:
  case refusal::timed_out:
  case refusal::draining:
  case refusal::broker_fault:
  case refusal::too_fast:
  case refusal::too_many_from_address:
  case refusal::full:
  case refusal::overloaded:
  case refusal::untrusted_proxy:
  case refusal::bad_proxy_header:
  case refusal::tls_failed:
    return false;
  case refusal::queue_full:
    return true;
  }
  return false;
}

bool is_label(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

void check_same(const ending& x, const ending& y) {
  CHECK(x.reason == y.reason);
  CHECK(x.code == y.code);
  CHECK(x.text == y.text);
  CHECK(x.cut == y.cut);
}

} // namespace

TEST_CASE("every end reason has its row", "[error]") {
  std::set<std::string_view> names;
  for (auto reason : all_end_reasons()) {
    const auto& row = describe(reason);
    INFO(row.name);
    CHECK(row.reason == reason);
    CHECK(is_label(row.name));
    CHECK(names.insert(row.name).second);
    CHECK((row.code == 0 || net::is_valid_close_code(row.code)));
    CHECK(row.text.size() <= longest_close_text);
    CHECK(to_string(reason) == row.name);
  }
  CHECK(is_last(all_end_reasons().back()));
}

TEST_CASE("every refusal has its row", "[error]") {
  std::set<std::string_view> names;
  for (auto why : all_refusals()) {
    const auto& row = describe(why);
    INFO(row.name);
    CHECK(row.why == why);
    CHECK(is_label(row.name));
    CHECK(names.insert(row.name).second);
    CHECK((why == refusal::none) == (row.status == 101));
    CHECK((why == refusal::none || row.status == 0 || (row.status >= 400 && row.status < 600)));
    // RFC 9110, section 15.6.4, and RFC 6585, section 4.
    CHECK((row.retry_after > 0) == (row.status == 429 || row.status == 503));
  }
  CHECK(is_last(all_refusals().back()));
}

TEST_CASE("an ending takes its code and text from the table", "[error]") {
  check_same(ending::by(end_reason::replaced),
             {end_reason::replaced, 4000, "replaced by a newer connection with the same key"});
  check_same(ending::by(end_reason::protocol_error, "reserved bits are set"),
             {end_reason::protocol_error, 1002, "reserved bits are set"});
}

TEST_CASE("an exit reason keeps the ending", "[error]") {
  for (auto reason : all_end_reasons())
    for (auto cut : {false, true}) {
      ending how{reason, describe(reason).code, "some text", cut};
      check_same(ending_of(make_error(how)), how);
      // A close code of the application's own.
      how.code = 4999;
      how.text.clear();
      check_same(ending_of(make_error(how)), how);
    }
}

TEST_CASE("any other exit reason is a fault of the broker", "[error]") {
  for (const auto& reason : {caf::error{}, caf::make_error(caf::exit_reason::kill),
                             caf::make_error(caf::sec::runtime_error, std::string(1000, 'x'))}) {
    auto how = ending_of(reason);
    CHECK(how.reason == end_reason::broker_fault);
    CHECK(how.code == 1011);
    CHECK(how.text.size() <= longest_close_text);
  }
}
