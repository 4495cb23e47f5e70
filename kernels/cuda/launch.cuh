// What every .cu file starts from: launching a kernel, the element types, scratch memory.
//
// A launcher stands below its kernel in the same file, has the signature of the LIMBER_KERNEL in
// the header of the same name, and checks nothing but the element type.
#pragma once

#include "kernels/cuda/api.h"
#include "kernels/cuda/runtime/check.h"
#include "kernels/cuda/runtime/watch.h"
#include "kernels/exec.h"
#include "kernels/half.h"
#include "kernels/types.h"

namespace limber::kernels::cuda {

// ---- element types.  Numbers are kept in T and computed with in float.
struct f16 {
  uint16_t bits;
};
struct bf16 {
  uint16_t bits;
};

__device__ __forceinline__ float widen(float v) { return v; }
__device__ __forceinline__ float widen(f16 v) { return __half2float(__ushort_as_half(v.bits)); }
__device__ __forceinline__ float widen(bf16 v) {
  return __bfloat162float(__ushort_as_bfloat16(v.bits));
}

template <class T>
__device__ __forceinline__ T narrow(float v);
template <>
__device__ __forceinline__ float narrow<float>(float v) {
  return v;
}
template <>
__device__ __forceinline__ f16 narrow<f16>(float v) {
  return {__half_as_ushort(__float2half(v))};
}
template <>
__device__ __forceinline__ bf16 narrow<bf16>(float v) {
  return {__bfloat16_as_ushort(__float2bfloat16(v))};
}

[[noreturn]] void unsupported(const Exec& ex, DType dtype);

// Calls body with a value of the element type.
template <class Body>
void by_float_type(const Exec& ex, DType dtype, const Body& body) {
  switch (dtype) {
    case DType::f32:
      return body(float{});
    case DType::f16:
      return body(f16{});
    case DType::bf16:
      return body(bf16{});
    default:
      unsupported(ex, dtype);
  }
}

// Calls body with an integer of the size of an element, for kernels that only move elements.
template <class Body>
void by_word(size_t bytes, const Body& body) {
  switch (bytes) {
    case 1:
      return body(uint8_t{});
    case 2:
      return body(uint16_t{});
    case 4:
      return body(uint32_t{});
    case 8:
      return body(uint64_t{});
  }
}

// ---- launching
struct Grid {
  int64_t blocks = 0;
  int threads = 0;
  size_t shared = 0;  // bytes of dynamic shared memory
};

constexpr int kThreads = 256;
constexpr int64_t kMostBlocks = 8192;  // a kernel of more work than that strides over it

// One thread for each of n items, up to kMostBlocks blocks; kernels loop with `for_each_item`.
inline Grid one_each(int64_t n, int threads = kThreads) {
  const int64_t blocks = (n + threads - 1) / threads;
  return {blocks < kMostBlocks ? blocks : kMostBlocks, threads};
}

// for (for_each_item(i, n)): this thread's share of the items 0 ... n - 1.
#define for_each_item(i, n)                                   \
  int64_t i = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; \
  i < (n);                                                    \
  i += int64_t(gridDim.x) * blockDim.x

inline cudaStream_t stream_of(const Exec& ex) { return static_cast<cudaStream_t>(ex.stream); }

#if defined(LIMBER_CUDA_EMULATE)
template <class T>
void check_argument(const Exec& ex, const T& argument) {
  if constexpr (std::is_pointer_v<T>)
    if (argument != nullptr && !emulator::on_device(argument))
      throw gpu::CudaError(std::string(ex.kernel) + ": a kernel was handed the host's memory");
}
#endif

// Queues kernel(args...) on the stream of `ex`. Nothing happens for a grid without blocks.
template <class... Parameters, class... Args>
void launch(const Exec& ex, const Grid& grid, void (*kernel)(Parameters...), const Args&... args) {
  if (grid.blocks == 0) return;
  if (gpu::QueueWatch* watch = gpu::QueueWatch::of_thread())
    watch->launch(ex.kernel, grid.blocks, static_cast<Parameters>(args)...);
#if defined(LIMBER_CUDA_EMULATE)
  const auto run = [ex, grid, kernel, ... values = static_cast<Parameters>(args)] {
    (check_argument<Parameters>(ex, values), ...);
    const auto call = [&] { kernel(values...); };
    const emulator::LaunchShape shape{ex.kernel, unsigned(grid.blocks), unsigned(grid.threads),
                                      grid.shared};
    try {
      emulator::run_launch(
          shape, [](const void* body) { (*static_cast<const decltype(call)*>(body))(); }, &call);
    } catch (const std::runtime_error& error) {
      throw gpu::CudaError(error.what());
    }
    return cudaSuccess;
  };
  cuda_check_in(ex, emulator::enqueue(stream_of(ex), run));
#else
  cudaLaunchConfig_t config{};
  config.gridDim = dim3(unsigned(grid.blocks));
  config.blockDim = dim3(unsigned(grid.threads));
  config.dynamicSmemBytes = grid.shared;
  config.stream = stream_of(ex);
  cuda_check_in(ex, cudaLaunchKernelEx(&config, kernel, static_cast<Parameters>(args)...));
  if (gpu::waits_for_kernels()) cuda_check_in(ex, cudaStreamSynchronize(stream_of(ex)));
#endif
}

// The launch's dynamic shared memory.
template <class T>
__device__ __forceinline__ T* shared_memory() {
#if defined(LIMBER_CUDA_EMULATE)
  return static_cast<T*>(emulator::launch_state().shared);
#else
  extern __shared__ __align__(16) unsigned char limber_shared_bytes[];
  return reinterpret_cast<T*>(limber_shared_bytes);
#endif
}

// Device memory for the duration of a launcher: released in the stream's order, behind the kernels
// that use it.
template <class T>
class Scratch {
 public:
  Scratch(const Exec& ex, int64_t n) : ex_(ex), bytes_(size_t(n) * sizeof(T)) {
    data_ = static_cast<T*>(gpu::allocate(ex.device.index, bytes_));
  }
  ~Scratch() { gpu::release(ex_.device.index, data_, bytes_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  T* data() const { return data_; }

 private:
  const Exec& ex_;
  size_t bytes_;
  T* data_;
};

__host__ __device__ __forceinline__ int64_t divide_up(int64_t a, int64_t b) {
  return (a + b - 1) / b;
}

}  // namespace limber::kernels::cuda
