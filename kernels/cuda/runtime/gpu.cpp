// Devices, memory and copies through the CUDA runtime, real or emulated.
#include "kernels/cuda/runtime/gpu.h"

#include <algorithm>
#include <cstdlib>
#include <mutex>
#include <vector>

#include "kernels/cuda/runtime/check.h"
#include "kernels/cuda/runtime/libraries.h"
#include "kernels/kernel.h"

namespace limber::kernels {

void no_cuda_kernel(const char* name) {
  throw gpu::CudaError(std::string(name) + ": has no CUDA kernel, it runs on the CPU alone");
}

namespace gpu {
namespace {

struct DeviceState {
  std::mutex mutex;
  cudaStream_t stream = nullptr;
  cudaMemPool_t pool = nullptr;
  size_t live = 0, peak = 0;
};

// Never destroyed: tensors in static storage may outlive any order of destruction.
std::vector<DeviceState>& states() {
  static std::vector<DeviceState>& all =
      *new std::vector<DeviceState>(static_cast<size_t>(device_count()));
  return all;
}

// The state of a device that is there, which becomes the calling thread's current one.
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

std::string version_text(int version) {
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

cudaError_t count_status(int* count) {
  static int found = 0;
  static const cudaError_t status = cudaGetDeviceCount(&found);
  *count = status == cudaSuccess ? found : 0;
  return status;
}

}  // namespace

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
  if (status != cudaSuccess) return std::string("no CUDA device: ") + cudaGetErrorString(status);
  return "no CUDA device in this machine";
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

void* allocate(int index, size_t bytes) {
  if (bytes == 0) return nullptr;
  DeviceState& state = state_of(index);
  void* block = nullptr;
  const cudaError_t status = cudaMallocAsync(&block, bytes, state.stream);
  if (status == cudaErrorMemoryAllocation) {
    const Memory now = memory(index);
    cudaGetLastError();
    throw CudaError("cuda:" + std::to_string(index) + ": no memory for " + std::to_string(bytes) +
                    " bytes; " + std::to_string(now.live) + " in use, " +
                    std::to_string(now.cached) + " kept for reuse");
  }
  cuda_check(status);
  std::lock_guard lock(state.mutex);
  state.live += bytes;
  state.peak = std::max(state.peak, state.live);
  return block;
}

void release(int index, void* block, size_t bytes) noexcept {
  if (block == nullptr) return;
  DeviceState& state = states()[size_t(index)];
  cudaFreeAsync(block, state.stream);
  std::lock_guard lock(state.mutex);
  state.live -= bytes;
}

Memory memory(int index) {
  DeviceState& state = state_of(index);
  uint64_t reserved = 0, used = 0;
  cuda_check(cudaMemPoolGetAttribute(state.pool, cudaMemPoolAttrReservedMemCurrent, &reserved));
  cuda_check(cudaMemPoolGetAttribute(state.pool, cudaMemPoolAttrUsedMemCurrent, &used));
  std::lock_guard lock(state.mutex);
  return {state.live, size_t(reserved - std::min(used, reserved)), state.peak};
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
  const cudaMemcpyKind kind = direction == Copy::to_device ? cudaMemcpyHostToDevice
                              : direction == Copy::to_host ? cudaMemcpyDeviceToHost
                                                           : cudaMemcpyDeviceToDevice;
  cuda_check(cudaMemcpyAsync(to, from, bytes, kind, state.stream));
  if (direction == Copy::to_host) cuda_check(cudaStreamSynchronize(state.stream));
}

void zero(int index, void* block, size_t bytes) {
  if (bytes == 0) return;
  cuda_check(cudaMemsetAsync(block, 0, bytes, state_of(index).stream));
}

void synchronise(int index) { cuda_check(cudaStreamSynchronize(state_of(index).stream)); }

void* allocate_pinned(size_t bytes) {
  void* block = nullptr;
  cuda_check(cudaMallocHost(&block, bytes));
  return block;
}

void release_pinned(void* block) noexcept { cudaFreeHost(block); }

}  // namespace gpu
}  // namespace limber::kernels
