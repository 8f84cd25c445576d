#include "actors/broker.hpp"

#include "actors/log.hpp"
#include "actors/translate.hpp"
#include "config/load.hpp"
#include "config/pages.hpp"
#include "net/memory.hpp"

#include <caf/actor_registry.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <spdlog/async.h>
#include <spdlog/fmt/chrono.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <iostream>
#include <string>
#include <sys/resource.h>
#include <vector>

namespace tandem {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// Lines that wait to be written. When it is full the oldest go: a log must not hold up the broker.
constexpr size_t log_queue = 8192;

/// How long the actors may take to end once no socket is left.
constexpr milliseconds actor_deadline{3000};

/// Descriptors that aren't connections: listeners, epoll sets, logs.
constexpr rlim_t own_descriptors = 64;

// -- process ------------------------------------------------------------------

/// SIGINT, SIGTERM and SIGHUP, taken by the main thread alone. Has to be there before any other
/// thread is.
class process_signals {
public:
  process_signals() {
    sigemptyset(&set_);
    sigaddset(&set_, SIGINT);
    sigaddset(&set_, SIGTERM);
    sigaddset(&set_, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
  }

  int wait() const {
    int signal = 0;
    sigwait(&set_, &signal);
    return signal;
  }

  /// Waits for `done` until `deadline`; a signal to end in between does that at once.
  template <class Predicate>
  bool wait_until(steady_clock::time_point deadline, Predicate done) const {
    constexpr timespec step{.tv_sec = 0, .tv_nsec = 5'000'000};
    while (!done()) {
      if (steady_clock::now() >= deadline)
        return false;
      if (auto signal = sigtimedwait(&set_, nullptr, &step); signal > 0 && signal != SIGHUP)
        std::_Exit(128 + signal);
    }
    return true;
  }

private:
  sigset_t set_;
};

spdlog::level::level_enum level_of(config::log_level level) {
  switch (level) {
  case config::log_level::trace:
    return spdlog::level::trace;
  case config::log_level::debug:
    return spdlog::level::debug;
  case config::log_level::info:
    return spdlog::level::info;
  case config::log_level::warning:
    return spdlog::level::warn;
  case config::log_level::error:
    return spdlog::level::err;
  case config::log_level::off:
    return spdlog::level::off;
  }
  return spdlog::level::info;
}

void start_log(config::log_level level) {
  spdlog::init_thread_pool(log_queue, 1);
  spdlog::set_default_logger(std::make_shared<spdlog::async_logger>(
      "tandem", std::make_shared<spdlog::sinks::stderr_color_sink_mt>(), spdlog::thread_pool(),
      spdlog::async_overflow_policy::overrun_oldest));
  spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %^%l%$ %v");
  spdlog::set_level(level_of(level));
}

/// Raises the limit of open files as far as it goes, since each connection takes one.
void raise_descriptor_limit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  getrlimit(RLIMIT_NOFILE, &limit);
  spdlog::info("descriptors limit={} connections={}", limit.rlim_cur,
               limit.rlim_cur - std::min(limit.rlim_cur, own_descriptors));
}

// -- settings -----------------------------------------------------------------

/// Does what the command line asks for besides running; the exit code, or nothing if the broker is
/// to run.
std::optional<int> handle_other_actions(const config::outcome& wanted) {
  for (const auto& problem : wanted.problems)
    std::cerr << "tandem: " << config::to_string(problem) << '\n';
  if (!wanted.problems.empty())
    return 2;
  switch (wanted.what) {
  case config::action::help:
    std::cout << config::help_text();
    return 0;
  case config::action::version:
    std::cout << "tandem " TANDEM_VERSION "\n";
    return 0;
  case config::action::dump:
    std::cout << config::dump(wanted.settings);
    return 0;
  case config::action::check:
    std::cout << (wanted.config_file ? wanted.config_file->string() : "the defaults") << ": OK\n";
    return 0;
  case config::action::run:
    return std::nullopt;
  }
  return std::nullopt;
}

// -- the run ------------------------------------------------------------------

void log_certificates(const net::tls_context* tls) {
  if (tls == nullptr)
    return;
  const auto now = std::chrono::system_clock::now();
  for (const auto& [file, subject, expires] : tls->certificates())
    spdlog::log(expires < now ? spdlog::level::warn : spdlog::level::info,
                "certificate file={} subject={} {}={:%Y-%m-%dT%H:%M:%SZ}", log_value(file),
                log_value(subject), expires < now ? "expired" : "expires",
                std::chrono::time_point_cast<std::chrono::seconds>(expires));
}

/// Each step has a deadline. False if an actor, which can only be an extension's, didn't end.
bool shut_down(caf::actor_system& system, net::front& front, const supervisor_actor& root,
               const process_signals& signals, milliseconds drain_timeout) {
  auto& scheduler = net::scheduler::of(system);
  front.stop_accepting();
  caf::anon_send(root, atom::shutdown::value);
  // Peers whose handshake is under way come in before the gatekeeper goes, and are told then.
  auto empty = [&] { return !front.guarded() && scheduler.sockets() == 0; };
  if (!signals.wait_until(steady_clock::now() + drain_timeout, empty))
    spdlog::warn("drain-timeout has passed sockets={}", scheduler.sockets());
  caf::anon_send(root, atom::end::value);
  auto ended = signals.wait_until(steady_clock::now() + actor_deadline,
                                  [&] { return system.registry().running() == 0; });
  front.stop();
  return ended;
}

/// CAF's own configuration, as far as tandem lets it be set.
struct system_config : caf::actor_system_config {
  explicit system_config(const config::settings& settings) {
    opt_group{custom_options_, "scheduler"}.add<size_t>("compute-threads",
                                                        "threads for all but connections");
    set("scheduler.max-threads", settings.network_threads);
    set("scheduler.compute-threads", settings.compute_threads);
    add_message_types<caf::id_block::tandem>();
    load<net::scheduler>();
  }
};

/// New connections get the new certificates; those that are there keep what they have.
void reload_certificates(const config::settings& settings, net::front& front) {
  try {
    auto tls = tls_of(settings);
    log_certificates(tls.get());
    front.use(std::move(tls));
    spdlog::info("reloaded certificates");
  } catch (const net::tls_error& error) {
    spdlog::error("keeping the certificates as they are: {}", error.what());
  }
}

int serve(const config::settings& settings, const extension_registry& extensions,
          const process_signals& signals) {
  system_config cfg{settings};
  // Before the system: its network workers end last, and sessions may still look at it then.
  const auto limits = session_limits_of(settings);
  caf::actor_system system{cfg};
  auto& scheduler = net::scheduler::of(system);

  auto options = front_options_of(settings, limits, scheduler);
  log_certificates(options.tls.get());
  if (options.tls && std::ranges::none_of(options.listen, &net::listen_address::tls))
    spdlog::warn("tls.certificates are of no use: no listener begins with wss://");
  net::front front{system, std::move(options)};
  auto root = system.spawn(supervisor, parts_of(settings, scheduler, front, extensions));
  front.start();
  front.wait_until_guarded();
  for (const auto& address : front.listening())
    std::cout << "listening on " << address << '\n';
  std::cout << std::flush;

  auto signal = signals.wait();
  for (; signal == SIGHUP; signal = signals.wait())
    reload_certificates(settings, front);
  spdlog::info("shutting down signal={}", signal);
  auto ended = shut_down(system, front, root, signals, settings.drain_timeout);
  root = nullptr;
  if (auto n = front.refusals().total(); n > 0)
    spdlog::info("refusals total={} {}", n, to_string(front.refusals()));
  if (!ended) {
    // The system's destructor would wait for it.
    spdlog::warn("an extension is still busy: ending without it actors={}",
                 system.registry().running());
    spdlog::shutdown();
    std::_Exit(0);
  }
  return 0;
}

} // namespace

int run_broker(int argc, char** argv, const extension_registry& extensions) {
  config::surroundings around;
  for (const auto& [name, factory] : extensions)
    around.extensions.push_back(name);
  around.tls = find_tls_fault;
  auto wanted = config::load(std::vector<std::string>(argv + 1, argv + argc), around);
  if (auto code = handle_other_actions(wanted))
    return *code;

  process_signals signals;
  start_log(wanted.settings.log_level);
  spdlog::info("tandem " TANDEM_VERSION " config={}",
               wanted.config_file ? wanted.config_file->string() : "none, the defaults");
  raise_descriptor_limit();
  net::keep_freed_memory();
  int code = 1;
  try {
    code = serve(wanted.settings, extensions, signals);
  } catch (const std::exception& error) {
    std::cerr << "tandem: " << error.what() << '\n';
  }
  spdlog::shutdown();
  return code;
}

} // namespace tandem
