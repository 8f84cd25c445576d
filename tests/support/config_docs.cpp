// Writes what is generated from the table of options into the source tree: config/tandem.conf and
// docs/configuration.md. Run it from anywhere after a change of the table.
#include "config/pages.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>

namespace {

bool write(const std::filesystem::path& path, const std::string& text) {
  std::ofstream out{path, std::ios::binary};
  out << text << std::flush;
  if (!out)
    std::cerr << path.string() << " can't be written\n";
  return static_cast<bool>(out);
}

} // namespace

int main() {
  const std::filesystem::path root = TANDEM_SOURCE_DIR;
  auto written = write(root / "config/tandem.conf", tandem::config::default_file()) &&
                 write(root / "docs/configuration.md", tandem::config::reference_page());
  return written ? EXIT_SUCCESS : EXIT_FAILURE;
}
