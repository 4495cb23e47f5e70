// Fuzz target of the checkpoint reader: any input is a tree or an InputError. With clang:
//   clang++ -std=c++20 -g -O1 -fsanitize=fuzzer,address,undefined -I. tests/fuzz/pth_fuzz.cpp
//     nn/{pickle,pickle_value,pickle_globals,stored_tensor,zip_file,pth_reader}.cpp
//     build/release/lib/liblimber_model.a build/release/lib/liblimber_infer.a -o pth_fuzz &&
//     ./pth_fuzz corpus/
#include <cstdlib>
#include <fstream>

#include "nn/pickle.h"
#include "nn/pth_reader.h"

namespace limber {
namespace {

void load_tensors(const PickleValue& value, int& budget) {
  if (--budget < 0) return;
  if (value.is(PickleValue::Kind::tensor) && value.stored() && value.stored()->storage &&
      value.stored()->numel() < 1 << 16)
    value.tensor(true);
  if (value.is(PickleValue::Kind::dict)) {
    for (const auto& item : value.items()) load_tensors(item.second, budget);
  } else if (value.container()) {
    for (size_t i = 0; i < value.size(); ++i) load_tensors(value.at(i), budget);
  }
}

void run(std::span<const std::byte> input) {
  const char* folder = std::getenv("TMPDIR");
  static const std::string file = std::string(folder ? folder : "/tmp") + "/limber_pth_fuzz.pth";
  std::ofstream(file, std::ios::binary)
      .write(reinterpret_cast<const char*>(input.data()), std::streamsize(input.size()));
  int budget = 1000;
  try {
    load_tensors(load_pth(file), budget);
  } catch (const InputError&) {
  }
  PickleSource source;
  source.bytes = input;
  source.name = "input";
  source.storage = [](const PickleValue&) {
    auto storage = std::make_shared<StoredStorage>();
    static const std::byte data[64] = {};
    storage->numel = 16;
    storage->data = data;
    return storage;
  };
  try {
    load_tensors(read_pickle(source).first, budget);
  } catch (const InputError&) {
  }
}

}  // namespace
}  // namespace limber

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  limber::run(std::as_bytes(std::span<const uint8_t>(data, size)));
  return 0;
}
