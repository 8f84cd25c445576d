/// What the settings mean to the broker's parts.
#pragma once

#include "actors/registry.hpp"
#include "actors/supervisor.hpp"
#include "config/settings.hpp"
#include "net/front.hpp"
#include "net/scheduler.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tandem {

/// By the indices of the routes.
std::vector<net::session_limits> session_limits_of(const config::settings& settings);

/// `limits` and `scheduler` outlive the front. Throws net::tls_error.
net::front_options front_options_of(const config::settings& settings,
                                    const std::vector<net::session_limits>& limits,
                                    net::scheduler& scheduler);

/// Each extension that the settings name is among `extensions`: the config's check has seen to
/// that.
std::shared_ptr<broker_parts> parts_of(const config::settings& settings, net::scheduler& scheduler,
                                       net::front& front, const extension_registry& extensions);

/// Reads the files for TLS; null if there are none. Throws net::tls_error.
std::shared_ptr<const net::tls_context> tls_of(const config::settings& settings);

/// As config::tls_probe has it.
std::optional<std::pair<std::string_view, std::string>>
find_tls_fault(const config::settings& settings);

} // namespace tandem
