// Gradients of pooling. One thread per element of the image collects from the windows that hold it:
// every sum has one order.
#include "kernels/cuda/launch.cuh"
#include "kernels/pool.h"

namespace limber::kernels::cuda {
namespace {

// Windows [first, last) of an axis, all those among them that can hold position h.
struct Range {
  int64_t first, last;
};
__device__ Range windows_around(const WindowAxis& axis, int64_t h) {
  int64_t first, last;
  if (axis.adaptive) {
    first = h * axis.out / axis.in;
    last = (h + 1) * axis.out / axis.in + 1;
  } else {
    const int64_t at = h + axis.padding;
    first = at < axis.kernel ? 0 : (at - axis.kernel) / axis.stride + 1;
    last = at / axis.stride + 1;
  }
  return {first, last < axis.out ? last : axis.out};
}

// Whether x[h, w] is the first element of its window, by rows, that equals `top`.
template <class T>
__device__ bool is_first(const T* image, const PoolShape& s, const Window& rows,
                         const Window& columns, int64_t h, int64_t w, float top) {
  for (int64_t r = rows.begin; r <= h; ++r)
    for (int64_t c = columns.begin; c < columns.end; ++c) {
      if (r == h && c == w) return true;
      if (widen(image[(r * s.columns.in + c) * s.C]) == top) return false;
    }
  return true;
}

template <class T>
__global__ void max_pool_grad_kernel(T* dx, const T* dy, const T* x, const T* y, PoolShape s,
                                     int64_t elements) {
  for (for_each_item(at, elements)) {
    const int64_t c = at % s.C, w = at / s.C % s.columns.in;
    const int64_t h = at / s.C / s.columns.in % s.rows.in;
    const int64_t n = at / s.C / s.columns.in / s.rows.in;
    const T* image = x + n * s.rows.in * s.columns.in * s.C + c;
    const float own = widen(x[at]);
    const Range above = windows_around(s.rows, h), left = windows_around(s.columns, w);
    float total = 0;
    for (int64_t i = above.first; i < above.last; ++i)
      for (int64_t j = left.first; j < left.last; ++j) {
        const Window rows = s.rows.at(i), columns = s.columns.at(j);
        if (h < rows.begin || h >= rows.end || w < columns.begin || w >= columns.end) continue;
        const int64_t from = ((n * s.rows.out + i) * s.columns.out + j) * s.C + c;
        if (widen(y[from]) == own && is_first(image, s, rows, columns, h, w, own))
          total += widen(dy[from]);
      }
    dx[at] = narrow<T>(total);
  }
}

template <class T>
__global__ void mean_pool_grad_kernel(T* dx, const T* dy, PoolShape s, int64_t elements) {
  for (for_each_item(at, elements)) {
    const int64_t c = at % s.C, w = at / s.C % s.columns.in;
    const int64_t h = at / s.C / s.columns.in % s.rows.in;
    const int64_t n = at / s.C / s.columns.in / s.rows.in;
    const Range above = windows_around(s.rows, h), left = windows_around(s.columns, w);
    float total = 0;
    for (int64_t i = above.first; i < above.last; ++i)
      for (int64_t j = left.first; j < left.last; ++j) {
        const Window rows = s.rows.at(i), columns = s.columns.at(j);
        if (h < rows.begin || h >= rows.end || w < columns.begin || w >= columns.end) continue;
        total += widen(dy[((n * s.rows.out + i) * s.columns.out + j) * s.C + c]) /
                 float(rows.divisor * columns.divisor);
      }
    dx[at] = narrow<T>(total);
  }
}

}  // namespace

void max_pool_backward(const Exec& ex, Out dx, In dy, In x, In y, const PoolShape& s) {
  const int64_t n = s.N * s.rows.in * s.columns.in * s.C;
  by_float_type(ex, x.dtype, [&]<class T>(T) {
    launch(ex, one_each(n), max_pool_grad_kernel<T>, dx.as<T>(), dy.as<T>(), x.as<T>(), y.as<T>(),
           s, n);
  });
}

void mean_pool_backward(const Exec& ex, Out dx, In dy, const PoolShape& s) {
  const int64_t n = s.N * s.rows.in * s.columns.in * s.C;
  by_float_type(ex, dy.dtype, [&]<class T>(T) {
    launch(ex, one_each(n), mean_pool_grad_kernel<T>, dx.as<T>(), dy.as<T>(), s, n);
  });
}

}  // namespace limber::kernels::cuda
