// Sums and maxima of the threads of a warp and of a block, always in the same order.
#pragma once

#include "kernels/cuda/launch.cuh"

namespace limber::kernels::cuda {

constexpr unsigned kAllLanes = 0xffffffffu;

struct Add {
  template <class T>
  __device__ __forceinline__ T operator()(T a, T b) const {
    return a + b;
  }
};

// A NaN wins over every number.
struct Larger {
  template <class T>
  __device__ __forceinline__ T operator()(T a, T b) const {
    return a > b || a != a ? a : b;
  }
};

// combine over the 32 lanes, the result in all of them.
template <class T, class Combine>
__device__ __forceinline__ T over_warp(T value, const Combine& combine) {
  for (int by = 16; by > 0; by /= 2) value = combine(value, __shfl_xor_sync(kAllLanes, value, by));
  return value;
}

// combine over all threads of the block, the result in all of them. The block has a multiple of 32
// threads, at most 1024, and all of them call it; `neutral` changes nothing in combine.
template <class T, class Combine>
__device__ __forceinline__ T over_block(T value, T neutral, const Combine& combine) {
  __shared__ T warps[32];
  value = over_warp(value, combine);
  __syncthreads();  // of an earlier call everybody has read
  if (threadIdx.x % 32 == 0) warps[threadIdx.x / 32] = value;
  __syncthreads();
  value = threadIdx.x % 32 < blockDim.x / 32 ? warps[threadIdx.x % 32] : neutral;
  return over_warp(value, combine);
}

__device__ __forceinline__ float block_sum(float value) { return over_block(value, 0.0f, Add()); }

}  // namespace limber::kernels::cuda
