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

// An element of the image, and a window that holds it.
struct Element {
  int64_t at, n, h, w, c;
};
struct Holder {
  int64_t at;  // of its result
  Window rows, columns;
};

template <class T>
struct MaxTerm {
  const T *dy, *x, *y;
  __device__ float operator()(const PoolShape& s, const Element& e, const Holder& window) const {
    const float own = widen(x[e.at]);
    if (widen(y[window.at]) != own) return 0;
    const T* image = x + e.n * s.rows.in * s.columns.in * s.C + e.c;
    const bool first = is_first(image, s, window.rows, window.columns, e.h, e.w, own);
    return first ? widen(dy[window.at]) : 0.0f;
  }
};

template <class T>
struct MeanTerm {
  const T* dy;
  __device__ float operator()(const PoolShape&, const Element&, const Holder& window) const {
    return widen(dy[window.at]) / float(window.rows.divisor * window.columns.divisor);
  }
};

template <class T, class Term>
__global__ void pool_grad_kernel(T* dx, Term term, PoolShape s, int64_t elements) {
  for (for_each_item(at, elements)) {
    const int64_t h = at / s.C / s.columns.in % s.rows.in, w = at / s.C % s.columns.in;
    const Element e{at, at / s.C / s.columns.in / s.rows.in, h, w, at % s.C};
    const Range above = windows_around(s.rows, h), left = windows_around(s.columns, w);
    float total = 0;
    for (int64_t i = above.first; i < above.last; ++i)
      for (int64_t j = left.first; j < left.last; ++j) {
        const Window rows = s.rows.at(i), columns = s.columns.at(j);
        if (h < rows.begin || h >= rows.end || w < columns.begin || w >= columns.end) continue;
        const int64_t from = ((e.n * s.rows.out + i) * s.columns.out + j) * s.C + e.c;
        total += term(s, e, Holder{from, rows, columns});
      }
    dx[at] = narrow<T>(total);
  }
}

template <class T, class Term>
void pool_grad(const Exec& ex, T* dx, const Term& term, const PoolShape& s) {
  const int64_t n = s.N * s.rows.in * s.columns.in * s.C;
  launch(ex, one_each(n), pool_grad_kernel<T, Term>, dx, term, s, n);
}

}  // namespace

void max_pool_backward(const Exec& ex, Out dx, In dy, In x, In y, const PoolShape& s) {
  by_float_type(ex, x.dtype, [&]<class T>(T) {
    pool_grad(ex, dx.as<T>(), MaxTerm<T>{dy.as<T>(), x.as<T>(), y.as<T>()}, s);
  });
}

void mean_pool_backward(const Exec& ex, Out dx, In dy, const PoolShape& s) {
  by_float_type(ex, dy.dtype,
                [&]<class T>(T) { pool_grad(ex, dx.as<T>(), MeanTerm<T>{dy.as<T>()}, s); });
}

}  // namespace limber::kernels::cuda
