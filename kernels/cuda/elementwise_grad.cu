// Gradients element by element.
#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/unary.cuh"
#include "kernels/elementwise.h"

namespace limber::kernels::cuda {
namespace {

template <class T, class F>
__global__ void unary_grad_kernel(F f, T* dx, const T* dy, const T* saved, int64_t n) {
  for (for_each_item(i, n)) dx[i] = narrow<T>(widen(dy[i]) * f.slope(widen(saved[i])));
}

}  // namespace

void unary_backward(const Exec& ex, UnaryArgs args, Out dx, In dy, In saved, int64_t n) {
  by_float_type(ex, dy.dtype, [&]<class T>(T) {
    by_unary(args, [&](auto f) {
      launch(ex, one_each(n), unary_grad_kernel<T, decltype(f)>, f, dx.as<T>(), dy.as<T>(),
             saved.as<T>(), n);
    });
  });
}

}  // namespace limber::kernels::cuda
