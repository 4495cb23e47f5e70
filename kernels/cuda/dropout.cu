// Multiplication with a mask of bytes.
#include "kernels/dropout.h"

#include "kernels/cuda/launch.cuh"

namespace limber::kernels::cuda {
namespace {

template <class T>
__global__ void masked_scale_kernel(T* y, const T* x, const uint8_t* mask, int64_t n, int64_t inner,
                                    float scale) {
  for (for_each_item(i, n)) y[i] = narrow<T>(mask[i / inner] != 0 ? scale * widen(x[i]) : 0.0f);
}

}  // namespace

void masked_scale(const Exec& ex, Out y, In x, In mask, int64_t outer, int64_t inner,
                  double scale) {
  const int64_t n = outer * inner;
  by_float_type(ex, x.dtype, [&]<class T>(T) {
    launch(ex, one_each(n), masked_scale_kernel<T>, y.as<T>(), x.as<T>(), mask.as<uint8_t>(), n,
           inner, scale);
  });
}

}  // namespace limber::kernels::cuda
