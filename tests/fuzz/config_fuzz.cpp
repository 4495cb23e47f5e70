// Fuzz target of the config readers: any text is a tree or an InputError. The first byte picks JSON
// or Python. With clang:
//   clang++ -std=c++20 -g -O1 -fsanitize=fuzzer,address,undefined -I. tests/fuzz/config_fuzz.cpp
//     pose/config/*.cpp -o config_fuzz && ./config_fuzz corpus/
#include <cstdlib>
#include <fstream>

#include "pose/config/config.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const char* folder = std::getenv("TMPDIR");
  const std::string file = std::string(folder ? folder : "/tmp") + "/limber_config_fuzz" +
                           (data[0] % 2 ? ".json" : ".py");
  std::ofstream(file, std::ios::binary) << text;
  try {
    limber::load_config(file).dump();
  } catch (const limber::InputError&) {
  }
  return 0;
}
