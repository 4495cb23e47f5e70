// Bytes shared by the tensors that look at them, taken from a caching allocator: this library's on
// the CPU, the driver's stream-ordered pool on a GPU.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "tensor/device.h"

namespace limber {

// 64-byte aligned memory; returned to the cache when the last tensor lets go of it.
class Storage {
 public:
  Storage(size_t bytes, Device device);
  ~Storage();
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;

  std::byte* data() const { return data_; }
  size_t bytes() const { return bytes_; }
  Device device() const { return device_; }

 private:
  std::byte* data_;
  size_t bytes_;
  Device device_;
};

struct MemoryStats {
  size_t live = 0;    // bytes in use now
  size_t cached = 0;  // bytes kept for reuse
  size_t peak = 0;    // most bytes in use since the start or the last reset
};

MemoryStats memory_stats(Device device = {});
void reset_peak_memory(Device device = {});
void trim_memory_cache(Device device = {});  // hands all cached blocks back to the system

}  // namespace limber
