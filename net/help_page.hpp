/// What a browser is shown that was pointed at tandem. For the front alone: this header brings in
/// Beast.
#pragma once

#include "net/upgrade.hpp"

#include <span>

namespace tandem::net {

/// Whether whoever asks would rather read HTML than JSON. Any thread.
bool wants_html(const upgrade_request& request);

/// The answer to a request that is no upgrade: 426, with a page that says what this is and how to
/// connect. Any thread.
refusal_response make_help_page(std::span<const route> routes);

} // namespace tandem::net
