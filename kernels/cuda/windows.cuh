// Which result of a convolution reads an element of the image through a given tap.
#pragma once

#include "kernels/cuda/launch.cuh"

namespace limber::kernels::cuda {

// The p with p stride - pad + offset = h and 0 <= p < P, or -1.
__device__ __forceinline__ int64_t reader(int64_t h, int64_t pad, int64_t offset, int64_t stride,
                                          int64_t P) {
  const int64_t at = h + pad - offset;
  return at >= 0 && at % stride == 0 && at / stride < P ? at / stride : -1;
}

}  // namespace limber::kernels::cuda
