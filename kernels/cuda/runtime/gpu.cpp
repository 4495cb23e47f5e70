// Devices, memory and copies through the CUDA runtime, real or emulated.
#include "kernels/cuda/runtime/gpu.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <vector>

#include "kernels/cuda/runtime/check.h"
#include "kernels/cuda/runtime/device_state.h"
#include "kernels/cuda/runtime/libraries.h"
#include "kernels/cuda/runtime/memory_report.h"
#include "kernels/cuda/runtime/watch.h"
#include "kernels/kernel.h"

namespace limber::kernels {

void no_cuda_kernel(const char* name) {
  throw gpu::CudaError(std::string(name) + ": has no CUDA kernel, it runs on the CPU alone");
}

namespace gpu {
namespace {

// Never destroyed: tensors in static storage may outlive any order of destruction.
std::vector<DeviceState>& states() {
  static std::vector<DeviceState>& all =
      *new std::vector<DeviceState>(static_cast<size_t>(device_count()));
  return all;
}

std::string version_text(int version) {
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

cudaError_t count_status(int* count) {
  static int found = 0;
  static const cudaError_t status = cudaGetDeviceCount(&found);
  *count = status == cudaSuccess ? found : 0;
  return status;
}

struct Pinned {
  std::mutex mutex;
  std::map<const void*, size_t> blocks;
  std::atomic<size_t> count = 0;  // asked for at every release of host memory
};

Pinned& pinned() {
  static Pinned& all = *new Pinned;
  return all;
}

}  // namespace

DeviceState& state_of(int index) {
  if (index < 0 || index >= device_count())
    throw CudaError("cuda:" + std::to_string(index) + ": " +
                    (device_count() == 0
                         ? why_none()
                         : "the last device is cuda:" + std::to_string(device_count() - 1)));
  DeviceState& state = states()[size_t(index)];
  cuda_check(cudaSetDevice(index));
  std::lock_guard lock(state.mutex);
  if (state.stream == nullptr) {
    cuda_check(cudaDeviceGetDefaultMemPool(&state.pool, index));
    uint64_t keep_all = ~uint64_t{0};
    cuda_check(cudaMemPoolSetAttribute(state.pool, cudaMemPoolAttrReleaseThreshold, &keep_all));
    cuda_check(cudaStreamCreateWithFlags(&state.stream, cudaStreamNonBlocking));
  }
  return state;
}

void check_status(cudaError_t status, const char* call, const char* kernel) {
  if (status == cudaSuccess) return;
  cudaGetLastError();  // or the next call would report this error again
  const std::string who = *kernel != '\0' ? std::string(kernel) + ": " : "";
  throw CudaError(who + call + " failed: " + cudaGetErrorString(status));
}

bool waits_for_kernels() {
  static const char* set = std::getenv("LIMBER_CUDA_SYNC");
  static const bool waits = set != nullptr && *set != '\0' && *set != '0';
  return waits;
}

int device_count() {
  int count = 0;
  count_status(&count);
  return count;
}

std::string why_none() {
  int count = 0;
  const cudaError_t status = count_status(&count);
  if (status == cudaSuccess) return "no CUDA device in this machine";
  int driver = 0;  // which cudaGetDeviceCount() calls too old where there is none
  cudaDriverGetVersion(&driver);
  return std::string("no CUDA device: ") +
         (driver == 0 ? "no NVIDIA driver is installed" : cudaGetErrorString(status));
}

DeviceInfo device_info(int index) {
  state_of(index);
  cudaDeviceProp p{};
  cuda_check(cudaGetDeviceProperties(&p, index));
  DeviceInfo info;
  info.name = p.name;
  info.major = p.major;
  info.minor = p.minor;
  info.processors = p.multiProcessorCount;
  cuda_check(cudaMemGetInfo(&info.free_memory, &info.memory));
  int driver = 0, runtime = 0;
  cuda_check(cudaDriverGetVersion(&driver));
  cuda_check(cudaRuntimeGetVersion(&runtime));
  info.versions = "driver " + version_text(driver) + ", CUDA " + version_text(runtime);
  const std::string libraries = library_versions();
  if (!libraries.empty()) info.versions += ", " + libraries;
  return info;
}

void* stream_of(int index) { return state_of(index).stream; }

namespace {

void* take(DeviceState& state, int index, size_t bytes) {
  void* block = nullptr;
  const cudaError_t status = cudaMallocAsync(&block, bytes, state.stream);
  if (status == cudaErrorMemoryAllocation) {
    const Memory now = memory(index);
    cudaGetLastError();
    throw CudaError("cuda:" + std::to_string(index) + ": no memory for " + std::to_string(bytes) +
                    " bytes; " + std::to_string(now.live) + " in use, " +
                    std::to_string(now.cached) + " kept for reuse, " +
                    std::to_string(now.in_graphs) + " in captured graphs");
  }
  cuda_check(status);
  return block;
}

}  // namespace

void* allocate(int index, size_t bytes) {
  if (bytes == 0) return nullptr;
  DeviceState& state = state_of(index);
  const std::shared_ptr<GraphMemory> graph = state.capturing;
  void* block = graph != nullptr ? graph->allocate(bytes) : take(state, index, bytes);
  std::lock_guard lock(state.mutex);
  if (graph != nullptr) {
    state.of_graphs[block] = graph;
  } else {
    ++state.requests;
  }
  state.live += bytes;
  state.peak = std::max(state.peak, state.live);
  return block;
}

void release(int index, void* block, size_t bytes) noexcept {
  if (block == nullptr) return;
  DeviceState& state = states()[size_t(index)];
  std::shared_ptr<GraphMemory> last;  // may be the last to hold a graph's memory
  std::lock_guard lock(state.mutex);
  state.live -= bytes;
  if (const auto found = state.of_graphs.find(block); found != state.of_graphs.end()) {
    last = std::move(found->second);
    state.of_graphs.erase(found);
    last->release(block);
  } else if (state.capturing != nullptr) {
    state.capturing->keep(block);
  } else {
    cudaFreeAsync(block, state.stream);
  }
}

Memory memory(int index) {
  DeviceState& state = state_of(index);
  uint64_t reserved = 0, used = 0;
  cuda_check(cudaMemPoolGetAttribute(state.pool, cudaMemPoolAttrReservedMemCurrent, &reserved));
  cuda_check(cudaMemPoolGetAttribute(state.pool, cudaMemPoolAttrUsedMemCurrent, &used));
  std::lock_guard lock(state.mutex);
  return {state.live, size_t(reserved - std::min(used, reserved)), state.peak, state.in_graphs};
}

size_t driver_requests(int index) {
  DeviceState& state = state_of(index);
  std::lock_guard lock(state.mutex);
  return state.requests;
}

std::string memory_report(int index) {
  const Memory now = memory(index);
  const auto megabytes = [](size_t bytes) {  // with one decimal
    const size_t tenths = (bytes + 50'000) / 100'000;
    return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " MB ";
  };
  return "memory of cuda:" + std::to_string(index) + ": " + megabytes(now.live) + "in use, " +
         megabytes(now.peak) + "at most, " + megabytes(now.cached) + "kept for reuse, " +
         megabytes(now.in_graphs) + "in captured graphs; " +
         std::to_string(driver_requests(index)) + " blocks asked of the driver";
}

void reset_peak(int index) {
  DeviceState& state = state_of(index);
  std::lock_guard lock(state.mutex);
  state.peak = state.live;
}

void trim(int index) {
  DeviceState& state = state_of(index);
  synchronise(index);
  cuda_check(cudaMemPoolTrimTo(state.pool, 0));
}

void copy(int index, void* to, const void* from, size_t bytes, Copy direction) {
  if (bytes == 0) return;
  DeviceState& state = state_of(index);
  if (QueueWatch* watch = QueueWatch::of_thread()) watch->copy(from, bytes, direction);
  const cudaMemcpyKind kind = direction == Copy::to_device ? cudaMemcpyHostToDevice
                              : direction == Copy::to_host ? cudaMemcpyDeviceToHost
                                                           : cudaMemcpyDeviceToDevice;
  const bool captures = state.capturing != nullptr;
  if (captures && direction == Copy::to_device && !is_pinned(from)) {
    void* kept = state.capturing->allocate_pinned(bytes);
    std::memcpy(kept, from, bytes);
    from = kept;
  }
  if (captures && direction == Copy::to_host && !is_pinned(to))
    throw CudaError("the host reads " + std::to_string(bytes) +
                    " bytes of the device, which a captured graph cannot wait for");
  cuda_check(cudaMemcpyAsync(to, from, bytes, kind, state.stream));
  if (direction == Copy::to_host && !captures) cuda_check(cudaStreamSynchronize(state.stream));
}

void zero(int index, void* block, size_t bytes) {
  if (bytes == 0) return;
  if (QueueWatch* watch = QueueWatch::of_thread()) watch->saw("zero", bytes);
  cuda_check(cudaMemsetAsync(block, 0, bytes, state_of(index).stream));
}

void synchronise(int index) {
  if (QueueWatch* watch = QueueWatch::of_thread()) watch->waited();
  cuda_check(cudaStreamSynchronize(state_of(index).stream));
}

void* allocate_pinned(size_t bytes) {
  const Relaxed relaxed;
  void* block = nullptr;
  cuda_check(cudaMallocHost(&block, bytes));
  std::lock_guard lock(pinned().mutex);
  pinned().blocks[block] = bytes;
  ++pinned().count;
  return block;
}

void release_pinned(void* block) noexcept {
  {
    std::lock_guard lock(pinned().mutex);
    pinned().count -= pinned().blocks.erase(block);
  }
  const Relaxed relaxed;
  cudaFreeHost(block);
}

bool is_pinned(const void* at) {
  if (pinned().count == 0) return false;
  std::lock_guard lock(pinned().mutex);
  auto after = pinned().blocks.upper_bound(at);
  if (after == pinned().blocks.begin()) return false;
  const auto& [block, bytes] = *--after;
  return static_cast<const char*>(at) < static_cast<const char*>(block) + bytes;
}

}  // namespace gpu
}  // namespace limber::kernels
