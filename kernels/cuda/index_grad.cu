// The gradient of a gather. One thread owns one column of the result and adds what arrives for it
// in the order of j: no atomics, the same bits every time.
#include "kernels/index.h"

#include "kernels/cuda/launch.cuh"

namespace limber::kernels::cuda {
namespace {

template <class T>
__global__ void gather_grad_kernel(Indexed s, T* dx, const T* dy, const int64_t* index,
                                   int64_t columns) {
  for (for_each_item(at, columns)) {
    const int64_t i = at % s.inner, o = at / s.inner;
    T* to = dx + o * s.n * s.inner + i;
    for (int64_t j = 0; j < s.k; ++j) {
      const int64_t from = (o * s.k + j) * s.inner + i;
      T& sum = to[index[s.shared ? j : from] * s.inner];
      sum = narrow<T>(widen(sum) + widen(dy[from]));
    }
  }
}

}  // namespace

void gather_backward(const Exec& ex, const Indexed& s, Out dx, In dy, In index) {
  by_float_type(ex, dy.dtype, [&]<class T>(T) {
    launch(ex, one_each(s.outer * s.inner), gather_grad_kernel<T>, s, dx.as<T>(), dy.as<T>(),
           index.as<int64_t>(), s.outer * s.inner);
  });
}

}  // namespace limber::kernels::cuda
