#include "kernels/cuda/emulator/runtime.h"

#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <vector>

#include "kernels/cuda/emulator/stream.h"

namespace {

constexpr size_t kAlignment = 256;  // what cudaMalloc promises
constexpr size_t kZone = 256;       // before and after each block
constexpr unsigned char kPattern = 0xC5, kFresh = 0xFB;

struct Blocks {
  std::mutex mutex;
  std::map<const void*, size_t> sizes;   // of the device's, by address
  std::map<const void*, size_t> pinned;  // the host's that a copy reads by itself
  size_t used = 0;
  cudaError_t last = cudaSuccess;
};

// Never destroyed: static tensors are released after it would be.
Blocks& blocks() {
  static Blocks& all = *new Blocks;
  return all;
}

cudaError_t failed(cudaError_t error) {
  blocks().last = error;
  return error;
}

bool zones_whole(const void* block, [[maybe_unused]] size_t bytes) {
  const auto* at = static_cast<const unsigned char*>(block);
#if !defined(__SANITIZE_ADDRESS__)  // there the heap's zones follow the block at once
  for (size_t i = 0; i < kZone; ++i)
    if (at[bytes + i] != kPattern) return false;
#endif
  for (size_t i = 1; i <= kZone; ++i)
    if (*(at - i) != kPattern) return false;
  return true;
}

// Whether `at` points into one of the blocks, or just behind it.
bool is_in(const std::map<const void*, size_t>& sizes, const void* at) {
  std::lock_guard lock(blocks().mutex);
  auto after = sizes.upper_bound(at);
  if (after == sizes.begin()) return false;
  const auto& [block, bytes] = *--after;
  return static_cast<const char*>(at) - static_cast<const char*>(block) <= ptrdiff_t(bytes);
}

cudaError_t take(void** block, size_t bytes) {
#if defined(__SANITIZE_ADDRESS__)
  const size_t after = 0;
#else
  const size_t after = kZone;
#endif
  void* whole = nullptr;
  if (posix_memalign(&whole, kAlignment, kZone + bytes + after) != 0)
    return failed(cudaErrorMemoryAllocation);
  auto* start = static_cast<unsigned char*>(whole) + kZone;
  std::memset(whole, kPattern, kZone);
  std::memset(start, kFresh, bytes);  // no kernel may rely on zeros
  std::memset(start + bytes, kPattern, after);
  *block = start;
  std::lock_guard lock(blocks().mutex);
  blocks().sizes[start] = bytes;
  blocks().used += bytes;
  return cudaSuccess;
}

cudaError_t give_back(void* block) {
  std::lock_guard lock(blocks().mutex);
  const auto found = blocks().sizes.find(block);
  if (found == blocks().sizes.end()) return failed(cudaErrorInvalidValue);
  const bool whole = zones_whole(block, found->second);
  blocks().used -= found->second;
  blocks().sizes.erase(found);
  std::free(static_cast<unsigned char*>(block) - kZone);
  return whole ? cudaSuccess : failed(cudaErrorIllegalAddress);
}

}  // namespace

using namespace limber::emulator;

bool limber::emulator::on_device(const void* at) { return is_in(blocks().sizes, at); }

const char* cudaGetErrorString(cudaError_t error) {
  switch (error) {
    case cudaSuccess:
      return "no error";
    case cudaErrorInvalidValue:
      return "invalid argument";
    case cudaErrorMemoryAllocation:
      return "out of memory";
    case cudaErrorIllegalAddress:
      return "memory outside of a block, or the host's, used as the device's";
    case cudaErrorNotSupported:
      return "not in the emulator";
    case cudaErrorStreamCaptureUnsupported:
      return "operation not permitted when stream is capturing";
    case cudaErrorStreamCaptureInvalidated:
      return "operation failed due to a previous error during capture";
    case cudaErrorStreamCaptureIsolation:
      return "dependency created on uncaptured work in another stream";
  }
  return "unknown error";
}

cudaError_t cudaGetLastError() {
  const cudaError_t last = blocks().last;
  blocks().last = cudaSuccess;
  return last;
}

cudaError_t cudaGetDeviceCount(int* count) {
  *count = 1;
  return cudaSuccess;
}

cudaError_t cudaSetDevice(int index) {
  return index == 0 ? cudaSuccess : failed(cudaErrorInvalidValue);
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int) {
  std::strcpy(properties->name, "emulated on the CPU");
  properties->major = properties->minor = 0;
  properties->multiProcessorCount = 1;
  return cudaSuccess;
}

cudaError_t cudaDriverGetVersion(int* version) {
  *version = 0;
  return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int* version) { return cudaDriverGetVersion(version); }

cudaError_t cudaMemGetInfo(size_t* free_bytes, size_t* total) {
  *free_bytes = *total = 0;
  return cudaSuccess;
}

cudaError_t cudaDeviceGetDefaultMemPool(cudaMemPool_t* pool, int) {
  *pool = nullptr;
  return cudaSuccess;
}

cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t, cudaMemPoolAttr, void*) { return cudaSuccess; }

cudaError_t cudaMemPoolGetAttribute(cudaMemPool_t, cudaMemPoolAttr, void* value) {
  std::lock_guard lock(blocks().mutex);
  *static_cast<uint64_t*>(value) = blocks().used;  // nothing is kept for reuse
  return cudaSuccess;
}

cudaError_t cudaMemPoolTrimTo(cudaMemPool_t, size_t) { return cudaSuccess; }

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  if (const cudaError_t refused = refuse_while_capturing(stream)) return failed(refused);
  if (const cudaError_t status = drain(stream)) return failed(status);
  std::lock_guard lock(blocks().mutex);
  for (const auto& [block, bytes] : blocks().sizes)
    if (!zones_whole(block, bytes)) return failed(cudaErrorIllegalAddress);
  return cudaSuccess;
}

cudaError_t cudaMallocAsync(void** block, size_t bytes, cudaStream_t stream) {
  if (const cudaError_t refused = refuse_while_capturing(stream)) return failed(refused);
  return take(block, bytes);
}

cudaError_t cudaFreeAsync(void* block, cudaStream_t stream) {
  if (const cudaError_t refused = refuse_while_capturing(stream)) return failed(refused);
  return enqueue(stream, [block] { return give_back(block); });
}

cudaError_t cudaMalloc(void** block, size_t bytes) {
  if (const cudaError_t refused = refuse_unless_relaxed()) return failed(refused);
  return take(block, bytes);
}

cudaError_t cudaFree(void* block) {  // waits for the device
  if (const cudaError_t refused = refuse_unless_relaxed()) return failed(refused);
  if (const cudaError_t status = drain_all()) return failed(status);
  return give_back(block);
}

cudaError_t cudaMallocHost(void** block, size_t bytes) {
  if (const cudaError_t refused = refuse_unless_relaxed()) return failed(refused);
  *block = std::malloc(bytes == 0 ? 1 : bytes);
  if (*block == nullptr) return failed(cudaErrorMemoryAllocation);
  std::lock_guard lock(blocks().mutex);
  blocks().pinned[*block] = bytes;
  return cudaSuccess;
}

cudaError_t cudaFreeHost(void* block) {
  if (const cudaError_t refused = refuse_unless_relaxed()) return failed(refused);
  std::lock_guard lock(blocks().mutex);
  if (blocks().pinned.erase(block) == 0) return failed(cudaErrorInvalidValue);
  std::free(block);
  return cudaSuccess;
}

// Pageable memory is staged: read at the call, and written before it returns.
cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
  const bool to_device = kind != cudaMemcpyDeviceToHost,
             from_device = kind != cudaMemcpyHostToDevice;
  const bool pageable = (!to_device && !is_in(blocks().pinned, to)) ||
                        (!from_device && !is_in(blocks().pinned, from));
  if (pageable)
    if (const cudaError_t refused = refuse_while_capturing(stream)) return failed(refused);
  const auto copy = [=](const void* source) {
    if (on_device(to) != to_device || on_device(from) != from_device)
      return failed(cudaErrorIllegalAddress);
    std::memcpy(to, source, bytes);
    return cudaSuccess;
  };
  if (!from_device && pageable) {
    const auto* first = static_cast<const unsigned char*>(from);
    return enqueue(stream, [copy, staged = std::vector<unsigned char>(first, first + bytes)] {
      return copy(staged.data());
    });
  }
  const cudaError_t status = enqueue(stream, [copy, from] { return copy(from); });
  return pageable && status == cudaSuccess ? drain(stream) : status;
}

cudaError_t cudaMemsetAsync(void* block, int value, size_t bytes, cudaStream_t stream) {
  return enqueue(stream, [=] {
    if (!on_device(block)) return failed(cudaErrorIllegalAddress);
    std::memset(block, value, bytes);
    return cudaSuccess;
  });
}
