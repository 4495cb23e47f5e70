// Gradients of pooling.
#include "kernels/cpu/simd.h"
#include "kernels/pool.h"

namespace limber::kernels::cpu::LIMBER_ISA {
namespace {

// Adds the gradients of one image's windows, for m <= kLanes channels. Windows overlap, so an image
// is one thread's work; channels are independent.
template <class T>
void max_pool_image(T* dx, const T* dy, const T* x, const T* y, const PoolShape& s, int64_t m) {
  for (int64_t i = 0; i < s.rows.out; ++i) {
    const Window rows = s.rows.at(i);
    for (int64_t j = 0; j < s.columns.out; ++j) {
      const Window columns = s.columns.at(j);
      const int64_t at = (i * s.columns.out + j) * s.C;
      const Vec<T> top = load(y + at, m);
      Vec<T> grad = load(dy + at, m);  // becomes zero in a lane once its element was found
      for (int64_t h = rows.begin; h < rows.end; ++h)
        for (int64_t w = columns.begin; w < columns.end; ++w) {
          const int64_t from = (h * s.columns.in + w) * s.C;
          const auto first = load(x + from, m) == top;
          store(dx + from, load(dx + from, m) + (first ? grad : Vec<T>{}), m);
          grad = first ? Vec<T>{} : grad;
        }
    }
  }
}

// Row h of one image's gradient: what each row of windows that holds h spreads over its columns.
template <class T>
void mean_pool_row(T* dx, const T* dy, const PoolShape& s, int64_t h) {
  for (int64_t i = 0; i < s.rows.out; ++i) {
    const Window rows = s.rows.at(i);
    if (h < rows.begin || h >= rows.end) continue;
    for (int64_t j = 0; j < s.columns.out; ++j) {
      const Window columns = s.columns.at(j);
      const T factor = T(1) / T(rows.divisor * columns.divisor);
      for_lanes<T>(s.C, [&](int64_t c, int64_t m) {
        const Vec<T> share = load(dy + (i * s.columns.out + j) * s.C + c, m) * factor;
        for (int64_t w = columns.begin; w < columns.end; ++w)
          store(dx + w * s.C + c, load(dx + w * s.C + c, m) + share, m);
      });
    }
  }
}

template <class T>
LIMBER_INLINE void clear(T* x, int64_t n) {
  for_lanes<T>(n, [&](int64_t i, int64_t m) { store(x + i, Vec<T>{}, m); });
}

}  // namespace

void max_pool_backward(const Exec& ex, Out dx, In dy, In x, In y, const PoolShape& s) {
  by_float_type(x.dtype, [&]<class T>(T) {
    constexpr int64_t step = kLanes<T>;
    const int64_t image = s.rows.in * s.columns.in * s.C, result = s.rows.out * s.columns.out * s.C;
    parallel_for(ex, s.N * image, 16384,
                 [&](int64_t begin, int64_t end) { clear(dx.as<T>() + begin, end - begin); });
    const int64_t parts = (s.C + step - 1) / step;
    parallel_for(ex, s.N * parts, 4096 / (image + 1) + 1, [&](int64_t begin, int64_t end) {
      for (int64_t job = begin; job < end; ++job) {
        const int64_t n = job / parts, c = job % parts * step;
        T* to = dx.as<T>() + n * image + c;
        const T *grad = dy.as<T>() + n * result + c, *top = y.as<T>() + n * result + c;
        const T* from = x.as<T>() + n * image + c;
        if (c + step <= s.C)
          max_pool_image(to, grad, from, top, s, step);
        else
          max_pool_image(to, grad, from, top, s, s.C - c);
      }
    });
  });
}

void mean_pool_backward(const Exec& ex, Out dx, In dy, const PoolShape& s) {
  by_float_type(dx.dtype, [&]<class T>(T) {
    const int64_t row = s.columns.in * s.C, result = s.rows.out * s.columns.out * s.C;
    parallel_for(ex, s.N * s.rows.in, 4096 / (row + 1) + 1, [&](int64_t begin, int64_t end) {
      clear(dx.as<T>() + begin * row, (end - begin) * row);
      for (int64_t job = begin; job < end; ++job)
        mean_pool_row(dx.as<T>() + job * row, dy.as<T>() + job / s.rows.in * result, s,
                      job % s.rows.in);
    });
  });
}

}  // namespace limber::kernels::cpu::LIMBER_ISA
