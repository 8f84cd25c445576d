#include "actors/audit.hpp"
#include "actors/registry.hpp"
#include "support/probe.hpp"

#include <caf/scoped_actor.hpp>
#include <spdlog/sinks/ostream_sink.h>

#include <sstream>

using namespace tandem;
using namespace tandem::test;

namespace {

/// What is logged while it lives.
class log_capture {
public:
  log_capture() : before_{spdlog::default_logger()} {
    auto logger = std::make_shared<spdlog::logger>(
        "capture", std::make_shared<spdlog::sinks::ostream_sink_mt>(out_));
    logger->set_pattern("%v");
    spdlog::set_default_logger(std::move(logger));
  }

  ~log_capture() { spdlog::set_default_logger(before_); }

  /// What came since the last look.
  std::vector<std::string> lines() {
    std::vector<std::string> result;
    std::istringstream in{out_.str()};
    out_.str({});
    for (std::string line; std::getline(in, line);)
      result.push_back(std::move(line));
    return result;
  }

private:
  std::shared_ptr<spdlog::logger> before_;
  std::ostringstream out_;
};

struct audited {
  audited() : subject{w.system().spawn(audit)} {}

  template <class Event>
  std::string log_of(const Event& event) {
    caf::anon_send(subject, event);
    w.settle();
    auto lines = log.lines();
    REQUIRE(lines.size() == 1);
    return lines[0];
  }

  world w;
  log_capture log;
  extension_actor subject;
};

const peer_info client{1, role::client, "key", "127.0.0.1:4711"};
const peer_info worker{2, role::worker, "key", "127.0.0.1:4712"};

} // namespace

TEST_CASE("the audit logs who comes, who is paired, and who goes why", "[extensions]") {
  audited a;
  CHECK(a.log_of(connected{client}) ==
        "audit connected id=1 role=client key=key remote=127.0.0.1:4711 "
        "subprotocol=\"\" subject=\"\" connections=1");
  CHECK(a.log_of(connected{worker}) ==
        "audit connected id=2 role=worker key=key remote=127.0.0.1:4712 "
        "subprotocol=\"\" subject=\"\" connections=2");
  CHECK(a.log_of(paired{"key", 1, 2}) == "audit paired key=key client=1 worker=2 pairs=1");
  CHECK(a.log_of(unpaired{"key", 1, 2}) == "audit unpaired key=key client=1 worker=2 pairs=0");
  CHECK(a.log_of(disconnected{worker, ending::by(end_reason::vanished)}) ==
        "audit disconnected id=2 role=worker key=key reason=vanished connections=1");
}

TEST_CASE("an audit that was started anew counts those that it knows", "[extensions]") {
  audited a;
  a.log_of(connected{worker});
  CHECK(a.log_of(unpaired{"key", 1, 2}).ends_with(" pairs=0"));
  CHECK(
      a.log_of(disconnected{client, ending::by(end_reason::vanished)}).ends_with(" connections=1"));
}

TEST_CASE("a pairing that was started anew introduces nobody twice to the audit", "[extensions]") {
  audited a;
  a.log_of(connected{worker});
  CHECK(a.log_of(connected{worker}).ends_with(" connections=1"));
}

TEST_CASE("every built-in extension starts, listens, and ends", "[extensions]") {
  world w;
  CHECK(built_in_extensions().contains("audit"));
  for (const auto& [name, factory] : built_in_extensions()) {
    INFO(name);
    auto before = w.system().registry().running();
    auto extension = factory(w.system());
    REQUIRE(extension);
    CHECK(w.system().registry().running() == before + 1);
    caf::scoped_actor self{w.system()};
    self->monitor(extension);
    self->send(extension, connected{client});
    self->send(extension, paired{"key", 1, 2});
    self->send(extension, unpaired{"key", 1, 2});
    self->send(extension, disconnected{client, ending::by(end_reason::vanished)});
    self->send_exit(extension, caf::exit_reason::user_shutdown);
    self->receive(
        [](const caf::down_msg& down) { CHECK(down.reason == caf::exit_reason::user_shutdown); });
  }
  w.system().registry().await_running_count_equal(0);
}
