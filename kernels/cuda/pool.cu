// Pooling: one thread per number of the result.
#include "kernels/pool.h"

#include "kernels/cuda/launch.cuh"

namespace limber::kernels::cuda {
namespace {

template <class T>
__global__ void max_pool_kernel(T* y, const T* x, PoolShape s, int64_t n) {
  for (for_each_item(at, n)) {
    const int64_t c = at % s.C, j = at / s.C % s.columns.out;
    const int64_t i = at / s.C / s.columns.out % s.rows.out;
    const Window rows = s.rows.at(i), columns = s.columns.at(j);
    const T* image = x + at / s.C / s.columns.out / s.rows.out * s.rows.in * s.columns.in * s.C + c;
    float best = -INFINITY;
    for (int64_t h = rows.begin; h < rows.end; ++h)
      for (int64_t w = columns.begin; w < columns.end; ++w) {
        const float v = widen(image[(h * s.columns.in + w) * s.C]);
        best = v > best || v != v ? v : best;
      }
    y[at] = narrow<T>(best);
  }
}

template <class T>
__global__ void mean_pool_kernel(T* y, const T* x, PoolShape s, int64_t n) {
  for (for_each_item(at, n)) {
    const int64_t c = at % s.C, j = at / s.C % s.columns.out;
    const int64_t i = at / s.C / s.columns.out % s.rows.out;
    const Window rows = s.rows.at(i), columns = s.columns.at(j);
    const T* image = x + at / s.C / s.columns.out / s.rows.out * s.rows.in * s.columns.in * s.C + c;
    float total = 0;
    for (int64_t h = rows.begin; h < rows.end; ++h)
      for (int64_t w = columns.begin; w < columns.end; ++w)
        total += widen(image[(h * s.columns.in + w) * s.C]);
    y[at] = narrow<T>(total / float(rows.divisor * columns.divisor));
  }
}

}  // namespace

void max_pool_forward(const Exec& ex, Out y, In x, const PoolShape& s) {
  const int64_t n = s.N * s.rows.out * s.columns.out * s.C;
  by_float_type(ex, x.dtype, [&]<class T>(T) {
    launch(ex, one_each(n), max_pool_kernel<T>, y.as<T>(), x.as<T>(), s, n);
  });
}

void mean_pool_forward(const Exec& ex, Out y, In x, const PoolShape& s) {
  const int64_t n = s.N * s.rows.out * s.columns.out * s.C;
  by_float_type(ex, x.dtype, [&]<class T>(T) {
    launch(ex, one_each(n), mean_pool_kernel<T>, y.as<T>(), x.as<T>(), s, n);
  });
}

}  // namespace limber::kernels::cuda
