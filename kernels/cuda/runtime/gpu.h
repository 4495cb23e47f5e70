// What the tensor layer asks of a GPU: which there are, memory, copies, waiting. No CUDA header is
// needed to include it. In a build without CUDA the functions stand in kernels/cuda/absent: there
// are no devices, and whatever needs one throws.
//
// Work on a device is queued on one stream of this library's; memory is handed out and taken back
// in that stream's order, so a block may be released while a kernel still reads it.
#pragma once

#include <stdexcept>
#include <string>

#include "kernels/types.h"

namespace limber::kernels::gpu {

// The call that failed, the library's text for it, and the kernel that ran.
class CudaError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

int device_count();      // 0 also where no driver is installed
std::string why_none();  // in words, when device_count() is 0
bool is_emulated();      // the "device" is this processor, kernels/cuda/emulator

struct DeviceInfo {
  std::string name;
  size_t memory = 0, free_memory = 0;  // bytes
  int major = 0, minor = 0;            // compute capability
  int processors = 0;
  std::string versions;  // of the driver, the runtime and the libraries
};
DeviceInfo device_info(int index);

void* stream_of(int index);  // a cudaStream_t, made at the first call

void* allocate(int index, size_t bytes);
void release(int index, void* block, size_t bytes) noexcept;
struct Memory {
  size_t live = 0, cached = 0, peak = 0;  // bytes
  size_t in_graphs = 0;                   // that captured graphs hold, used or not
};
Memory memory(int index);
void reset_peak(int index);
void trim(int index);  // hands what the pool keeps for reuse back to the driver

// Copies on the device's stream. A copy to the host has arrived when the call returns, and so has
// one from the host unless that is pinned memory (`pinned` below).
enum class Copy : uint8_t { to_device, to_host, inside };
void copy(int index, void* to, const void* from, size_t bytes, Copy direction);
void zero(int index, void* block, size_t bytes);
void synchronise(int index);

// Host memory that the device reads by itself, so that a copy from it runs beside other work.
void* allocate_pinned(size_t bytes);
void release_pinned(void* block) noexcept;
bool is_pinned(const void* at);  // lies in such memory

}  // namespace limber::kernels::gpu
