// Reads Python's pickle format, as far as PyTorch checkpoints need it, without executing anything:
// the few functions and classes that checkpoints name are understood one by one, and any other
// name is an InputError with the name and its offset. Work and memory are bounded by the input.
#pragma once

#include <functional>
#include <span>
#include <string>

#include "nn/pickle_value.h"

namespace limber {

struct PickleSource {
  std::span<const std::byte> bytes;
  std::string name;     // stands in front of every error
  uint64_t offset = 0;  // of bytes[0] in the file, for errors
  // The storage a persistent identifier (a tuple ("storage", ...)) stands for.
  std::function<std::shared_ptr<StoredStorage>(const PickleValue& id)> storage;
};

// The value of the pickle at the start of the bytes, and how many bytes it took.
std::pair<PickleValue, size_t> read_pickle(const PickleSource& source);

}  // namespace limber
