// Gradients of the parametric ReLU.
#include "kernels/prelu.h"

#include "kernels/cuda/columns.cuh"

namespace limber::kernels::cuda {
namespace {

template <class T>
__global__ void prelu_grad_kernel(T* dx, const T* dy, const T* x, const T* slope, int64_t n,
                                  int64_t C, bool shared) {
  for (for_each_item(i, n)) {
    const float g = widen(dy[i]);
    dx[i] = narrow<T>(widen(x[i]) > 0 ? g : widen(slope[shared ? 0 : i % C]) * g);
  }
}

template <class T>
struct SlopeTerm {
  const T *dy, *x;
  int64_t C;
  __device__ void operator()(int64_t, int64_t row, int64_t c, float* sums) const {
    const float v = widen(x[row * C + c]);
    if (!(v > 0)) sums[0] += v * widen(dy[row * C + c]);
  }
};

template <class T>
__global__ void narrow_kernel(T* y, const float* x, int64_t n) {
  for (for_each_item(i, n)) y[i] = narrow<T>(x[i]);
}

}  // namespace

void prelu_backward(const Exec& ex, Out dx, Out dslope, In dy, In x, In slope, int64_t rows,
                    int64_t C, bool shared) {
  by_float_type(ex, x.dtype, [&]<class T>(T) {
    if (dx.data != nullptr)
      launch(ex, one_each(rows * C), prelu_grad_kernel<T>, dx.as<T>(), dy.as<T>(), x.as<T>(),
             slope.as<T>(), rows * C, C, shared);
    if (dslope.data == nullptr) return;
    const Scratch<float> sums(ex, C);
    column_sums<1>(ex, SlopeTerm<T>{dy.as<T>(), x.as<T>(), C}, sums.data(), 1, rows, C);
    launch(ex, one_each(C), narrow_kernel<T>, dslope.as<T>(), sums.data(), C);
  });
}

}  // namespace limber::kernels::cuda
