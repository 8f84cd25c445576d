// Runs a fuzz target once on each file of a corpus, so that every build replays the seeds without
// libFuzzer.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: " << argv[0] << " CORPUS\n";
    return EXIT_FAILURE;
  }
  size_t replayed = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(argv[1])) {
    if (!entry.is_regular_file())
      continue;
    // Named before it runs: a crash leaves this line as the last one.
    std::cout << entry.path().string() << std::endl;
    std::ifstream in(entry.path(), std::ios::binary);
    std::string input(std::istreambuf_iterator<char>(in), {});
    LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(input.data()), input.size());
    ++replayed;
  }
  if (replayed == 0) {
    std::cerr << argv[1] << " holds no seeds\n";
    return EXIT_FAILURE;
  }
}
