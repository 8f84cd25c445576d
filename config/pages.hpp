/// What the table of options has to say to people.
#pragma once

#include "config/settings.hpp"

#include <string>

namespace tandem::config {

/// What `--help` prints.
std::string help_text();

/// `values` as a config file, which reads back as just these.
std::string dump(const settings& values);

/// A config file with every option at its default and all that there is to know about it in
/// comments: what is installed as tandem.conf.
std::string default_file();

/// docs/configuration.md.
std::string reference_page();

} // namespace tandem::config
