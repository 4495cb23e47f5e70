// Which elements meet along one axis of a convolution: a result p and an element h of the image
// where h = p stride - pad + offset, `offset` being that of the tap between them.
#pragma once

#include "kernels/cuda/launch.cuh"

namespace limber::kernels::cuda {

// The h that p reads, negative outside of 0 <= h < H.
__device__ __forceinline__ int64_t read_by(int64_t p, int64_t pad, int64_t offset, int64_t stride,
                                           int64_t H) {
  const int64_t h = p * stride - pad + offset;
  return h < H ? h : -1;
}

// The p that reads h, or -1 without 0 <= p < P.
__device__ __forceinline__ int64_t reader(int64_t h, int64_t pad, int64_t offset, int64_t stride,
                                          int64_t P) {
  const int64_t at = h + pad - offset;
  return at >= 0 && at % stride == 0 && at / stride < P ? at / stride : -1;
}

// Both, by direction: what position i meets through a tap.
template <bool backward>
__device__ __forceinline__ int64_t meeting(int64_t i, int64_t pad, int64_t offset, int64_t stride,
                                           int64_t extent) {
  return backward ? reader(i, pad, offset, stride, extent)
                  : read_by(i, pad, offset, stride, extent);
}

}  // namespace limber::kernels::cuda
