// Parametric ReLU.
#include "kernels/prelu.h"

#include "kernels/cuda/launch.cuh"

namespace limber::kernels::cuda {
namespace {

template <class T>
__global__ void prelu_kernel(T* y, const T* x, const T* slope, int64_t n, int64_t C, bool shared) {
  for (for_each_item(i, n)) {
    const float v = widen(x[i]);
    y[i] = narrow<T>(v > 0 ? v : widen(slope[shared ? 0 : i % C]) * v);
  }
}

}  // namespace

void prelu_forward(const Exec& ex, Out y, In x, In slope, int64_t rows, int64_t C, bool shared) {
  by_float_type(ex, x.dtype, [&]<class T>(T) {
    launch(ex, one_each(rows * C), prelu_kernel<T>, y.as<T>(), x.as<T>(), slope.as<T>(), rows * C,
           C, shared);
  });
}

}  // namespace limber::kernels::cuda
