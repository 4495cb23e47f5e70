// What the two directions of attention share. Log-sum-exps are f32 whatever q is.
#pragma once

#include "kernels/attention.h"
#include "kernels/cuda/reduce.cuh"

namespace limber::kernels::cuda {

constexpr int kTile = 128;  // threads of a block, and keys (or queries) of a tile

template <class T>
struct AttentionPointers {
  const T *q, *k, *v, *bias;
};

template <class A, class B>
__device__ __forceinline__ float dot(const A* a, const B* b, int64_t n) {
  float sum = 0;
  for (int64_t i = 0; i < n; ++i) sum += widen(a[i]) * widen(b[i]);
  return sum;
}

template <class T>
__device__ __forceinline__ float bias_at(const Attention& a, const T* bias, int64_t head, int64_t l,
                                         int64_t j) {
  if (bias == nullptr) return 0;
  return widen(bias[head / a.H * a.stride_bias[0] + head % a.H * a.stride_bias[1] +
                    l * a.stride_bias[2] + j * a.stride_bias[3]]);
}

}  // namespace limber::kernels::cuda
