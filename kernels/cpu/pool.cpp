// Pooling: a window's columns of channels are reduced in registers.
#include "kernels/pool.h"

#include "kernels/cpu/simd.h"

namespace limber::kernels::cpu::LIMBER_ISA {
namespace {

// body(n, at, rows, columns) for every window, `at` its number in y; rows of windows spread over
// the threads.
template <class Body>
LIMBER_INLINE void for_windows(const Exec& ex, const PoolShape& s, const Body& body) {
  const int64_t row = s.columns.out * s.C;
  parallel_for(ex, s.N * s.rows.out, 4096 / (row + 1) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t job = begin; job < end; ++job) {
      const Window rows = s.rows.at(job % s.rows.out);
      for (int64_t j = 0; j < s.columns.out; ++j)
        body(job / s.rows.out, job * s.columns.out + j, rows, s.columns.at(j));
    }
  });
}

// total = step(total, x) over one window, from its first element on.
template <class T, class Step>
LIMBER_INLINE Vec<T> fold(const T* x, int64_t row_stride, int64_t C, const Window& rows,
                          const Window& columns, Vec<T> total, int64_t m, const Step& step) {
  for (int64_t h = rows.begin; h < rows.end; ++h)
    for (int64_t w = columns.begin; w < columns.end; ++w)
      total = step(total, load(x + h * row_stride + w * C, m));
  return total;
}

}  // namespace

void max_pool_forward(const Exec& ex, Out y, In x, const PoolShape& s) {
  by_float_type(x.dtype, [&]<class T>(T) {
    const int64_t stride = s.columns.in * s.C;
    for_windows(ex, s, [&](int64_t n, int64_t at, const Window& rows, const Window& columns) {
      const T* image = x.as<T>() + n * s.rows.in * stride;
      for_lanes<T>(s.C, [&](int64_t i, int64_t m) {
        const Vec<T> lowest = splat(T(-__builtin_inff()));
        const auto step = [](Vec<T> best, Vec<T> v) { return v > best || v != v ? v : best; };
        store(y.as<T>() + at * s.C + i,
              fold(image + i, stride, s.C, rows, columns, lowest, m, step), m);
      });
    });
  });
}

void mean_pool_forward(const Exec& ex, Out y, In x, const PoolShape& s) {
  by_float_type(x.dtype, [&]<class T>(T) {
    const int64_t stride = s.columns.in * s.C;
    for_windows(ex, s, [&](int64_t n, int64_t at, const Window& rows, const Window& columns) {
      const T* image = x.as<T>() + n * s.rows.in * stride;
      const T factor = T(1) / T(rows.divisor * columns.divisor);
      for_lanes<T>(s.C, [&](int64_t i, int64_t m) {
        const auto step = [](Vec<T> total, Vec<T> v) { return total + v; };
        const Vec<T> total = fold(image + i, stride, s.C, rows, columns, Vec<T>{}, m, step);
        store(y.as<T>() + at * s.C + i, total * factor, m);
      });
    });
  });
}

}  // namespace limber::kernels::cpu::LIMBER_ISA
