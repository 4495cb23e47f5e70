#include "tensor/storage.h"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <mutex>
#include <new>
#include <unordered_map>
#include <vector>

#include "kernels/cuda/runtime/gpu.h"
#include "tensor/pinned.h"

namespace limber {
namespace {

// Training asks for the same few hundred sizes every step. A freed block waits in the list of its
// size class; sizes are rounded up to an eighth of their power of two, so at most 12.5 % is lost
// and a class is found by its rounded size alone.
class CachingAllocator {
 public:
  std::byte* allocate(size_t bytes) {
    const size_t size = rounded(bytes);
    std::lock_guard lock(mutex_);
    stats_.live += size;
    stats_.peak = std::max(stats_.peak, stats_.live);
    std::vector<std::byte*>& list = free_[size];
    if (!list.empty()) {
      std::byte* block = list.back();
      list.pop_back();
      stats_.cached -= size;
      return block;
    }
    void* block = std::aligned_alloc(64, size);
    if (block == nullptr) {
      release_cache();
      block = std::aligned_alloc(64, size);
    }
    if (block == nullptr) throw std::bad_alloc();
    return static_cast<std::byte*>(block);
  }

  void release(std::byte* block, size_t bytes) {
    const size_t size = rounded(bytes);
    std::lock_guard lock(mutex_);
    stats_.live -= size;
#if defined(__SANITIZE_ADDRESS__)
    std::free(block);  // a cached block would hide a use after free
#else
    stats_.cached += size;
    free_[size].push_back(block);
#endif
  }

  void trim() {
    std::lock_guard lock(mutex_);
    release_cache();
  }

  MemoryStats stats() {
    std::lock_guard lock(mutex_);
    return stats_;
  }

  void reset_peak() {
    std::lock_guard lock(mutex_);
    stats_.peak = stats_.live;
  }

 private:
  static size_t rounded(size_t bytes) {
    const size_t step = std::max<size_t>(64, std::bit_floor(std::max<size_t>(bytes, 1)) / 8);
    return std::max<size_t>(64, (bytes + step - 1) / step * step);
  }

  void release_cache() {
    for (auto& [size, list] : free_)
      for (std::byte* block : list) std::free(block);
    free_.clear();
    stats_.cached = 0;
  }

  std::mutex mutex_;
  std::unordered_map<size_t, std::vector<std::byte*>> free_;
  MemoryStats stats_;
};

// Never destroyed: tensors in static storage may outlive any order of destruction.
CachingAllocator& allocator() {
  static CachingAllocator& instance = *new CachingAllocator;
  return instance;
}

thread_local bool pins = false;

}  // namespace

PinnedScope::PinnedScope() { pins = true; }
PinnedScope::~PinnedScope() { pins = false; }

Storage::Storage(size_t bytes, Device device) : bytes_(bytes), device_(device) {
  data_ = device.is_cuda() ? static_cast<std::byte*>(kernels::gpu::allocate(device.index, bytes))
          : pins           ? static_cast<std::byte*>(kernels::gpu::allocate_pinned(bytes))
                           : allocator().allocate(bytes);
}

Storage::~Storage() {
  if (device_.is_cuda()) {
    kernels::gpu::release(device_.index, data_, bytes_);
  } else if (kernels::gpu::is_pinned(data_)) {
    kernels::gpu::release_pinned(data_);
  } else {
    allocator().release(data_, bytes_);
  }
}

MemoryStats memory_stats(Device device) {
  if (!device.is_cuda()) return allocator().stats();
  const kernels::gpu::Memory m = kernels::gpu::memory(device.index);
  return {m.live, m.cached, m.peak};
}

void reset_peak_memory(Device device) {
  if (device.is_cuda()) return kernels::gpu::reset_peak(device.index);
  allocator().reset_peak();
}

void trim_memory_cache(Device device) {
  if (device.is_cuda()) return kernels::gpu::trim(device.index);
  allocator().trim();
}

}  // namespace limber
