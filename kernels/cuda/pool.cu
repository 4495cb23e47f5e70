// Pooling: one thread per number of the result.
#include "kernels/pool.h"

#include "kernels/cuda/launch.cuh"

namespace limber::kernels::cuda {
namespace {

struct Largest {
  float best = -INFINITY;
  __device__ void add(float v) { best = v > best || v != v ? v : best; }
  __device__ float result(int64_t) const { return best; }
};

struct Mean {
  float total = 0;
  __device__ void add(float v) { total += v; }
  __device__ float result(int64_t divisor) const { return total / float(divisor); }
};

template <class Fold, class T>
__global__ void pool_kernel(T* y, const T* x, PoolShape s, int64_t n) {
  for (for_each_item(at, n)) {
    const int64_t c = at % s.C, j = at / s.C % s.columns.out;
    const int64_t i = at / s.C / s.columns.out % s.rows.out;
    const Window rows = s.rows.at(i), columns = s.columns.at(j);
    const T* image = x + at / s.C / s.columns.out / s.rows.out * s.rows.in * s.columns.in * s.C + c;
    Fold fold;
    for (int64_t h = rows.begin; h < rows.end; ++h)
      for (int64_t w = columns.begin; w < columns.end; ++w)
        fold.add(widen(image[(h * s.columns.in + w) * s.C]));
    y[at] = narrow<T>(fold.result(rows.divisor * columns.divisor));
  }
}

template <class Fold>
void pool(const Exec& ex, Out y, In x, const PoolShape& s) {
  const int64_t n = s.N * s.rows.out * s.columns.out * s.C;
  by_float_type(ex, x.dtype, [&]<class T>(T) {
    launch(ex, one_each(n), pool_kernel<Fold, T>, y.as<T>(), x.as<T>(), s, n);
  });
}

}  // namespace

void max_pool_forward(const Exec& ex, Out y, In x, const PoolShape& s) {
  pool<Largest>(ex, y, x, s);
}

void mean_pool_forward(const Exec& ex, Out y, In x, const PoolShape& s) { pool<Mean>(ex, y, x, s); }

}  // namespace limber::kernels::cuda
