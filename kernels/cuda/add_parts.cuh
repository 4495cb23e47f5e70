// Long sums of few results, such as a weight's gradient over all positions of a batch: cut into
// parts, so that there is work for a whole GPU, and the parts added in their order.
#pragma once

#include "kernels/cuda/launch.cuh"

namespace limber::kernels::cuda {

// Parts for a sum of this many terms.
inline int64_t parts_of(int64_t terms) {
  const int64_t parts = divide_up(terms, 4096);
  return parts < 64 ? parts : 64;
}

template <class T>
__global__ void add_parts_kernel(T* y, const float* parts, int64_t n, int64_t count) {
  for (for_each_item(i, n)) {
    float sum = 0;
    for (int64_t part = 0; part < count; ++part) sum += parts[part * n + i];
    y[i] = narrow<T>(sum);
  }
}

}  // namespace limber::kernels::cuda
