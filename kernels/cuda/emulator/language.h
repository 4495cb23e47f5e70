// The device language in plain C++: what a .cu file of this project uses of it. Blocks run one
// after another, the threads of a block as fibres that change at barriers (scheduler.h); a
// `__shared__` array is a static one, since there is never more than one block.
#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/cuda/emulator/scheduler.h"
#include "kernels/half.h"

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __shared__ static

#define threadIdx (::limber::emulator::current_thread().index)
#define blockIdx (::limber::emulator::launch_state().block)
#define blockDim (::limber::emulator::launch_state().block_extent)
#define gridDim (::limber::emulator::launch_state().grid_extent)
constexpr int warpSize = 32;

inline void __syncthreads() { limber::emulator::block_barrier(); }
inline void __syncwarp(unsigned mask = ~0u) { limber::emulator::warp_exchange(mask, 0); }

// Values of up to eight bytes travel as bits.
template <class T>
T __shfl_sync(unsigned mask, T value, int lane) {
  static_assert(sizeof(T) <= 8);
  uint64_t bits = 0;
  __builtin_memcpy(&bits, &value, sizeof(T));
  const uint64_t got = limber::emulator::warp_exchange(mask, bits).value[lane & 31];
  __builtin_memcpy(&value, &got, sizeof(T));
  return value;
}
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int by) {
  return __shfl_sync(mask, value, int(limber::emulator::current_thread().index.x & 31) ^ by);
}
// A lane without a source keeps its own value.
template <class T>
T __shfl_down_sync(unsigned mask, T value, int by) {
  const int lane = int(limber::emulator::current_thread().index.x & 31);
  return __shfl_sync(mask, value, lane + by < 32 ? lane + by : lane);
}
inline unsigned __ballot_sync(unsigned mask, int predicate) {
  const auto& all = limber::emulator::warp_exchange(mask, predicate != 0);
  unsigned bits = 0;
  for (int lane = 0; lane < 32; ++lane)
    if ((all.lanes >> lane & 1) != 0 && all.value[lane] != 0) bits |= 1u << lane;
  return bits;
}

// One host thread runs all device threads, so an atomic is a plain operation.
template <class T>
T atomicAdd(T* at, T value) {
  const T old = *at;
  *at += value;
  return old;
}
template <class T>
T atomicMax(T* at, T value) {
  const T old = *at;
  if (value > old) *at = value;
  return old;
}

[[noreturn]] inline void __trap() { limber::emulator::trap(); }
inline void __threadfence() {}
inline float rsqrtf(float x) { return 1.0f / std::sqrt(x); }
inline unsigned __float_as_uint(float f) { return __builtin_bit_cast(unsigned, f); }
inline float __uint_as_float(unsigned bits) { return __builtin_bit_cast(float, bits); }

struct __half {
  uint16_t bits;
};
struct __nv_bfloat16 {
  uint16_t bits;
};
inline __half __ushort_as_half(uint16_t bits) { return {bits}; }
inline uint16_t __half_as_ushort(__half h) { return h.bits; }
inline float __half2float(__half h) { return limber::from_f16(h.bits); }
inline __half __float2half(float f) { return {limber::to_f16(f)}; }
inline __nv_bfloat16 __ushort_as_bfloat16(uint16_t bits) { return {bits}; }
inline uint16_t __bfloat16_as_ushort(__nv_bfloat16 h) { return h.bits; }
inline float __bfloat162float(__nv_bfloat16 h) { return limber::from_bf16(h.bits); }
inline __nv_bfloat16 __float2bfloat16(float f) { return {limber::to_bf16(f)}; }
