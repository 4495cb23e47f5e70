// Resizing, a pixel's channels at a time.
#include "kernels/resize.h"

#include "kernels/cpu/resize_taps.h"
#include "kernels/cpu/simd.h"

namespace limber::kernels::cpu::LIMBER_ISA {
namespace {

// One row of the result. image: (H, W, C)
template <class T, int K>
void resize_row(T* y, const T* image, const Taps<T, K>& row, const Taps<T, K>* columns,
                const ResizeShape& s) {
  for (int64_t j = 0; j < s.w; ++j) {
    const Taps<T, K>& column = columns[j];
    for_lanes<T>(s.C, [&](int64_t c, int64_t m) {
      Vec<T> total{};
      for (int a = 0; a < K; ++a) {
        const T* from = image + row.at[a] * s.W * s.C + c;
        Vec<T> part{};
        for (int b = 0; b < K; ++b) part += load(from + column.at[b] * s.C, m) * column.weight[b];
        total += part * row.weight[a];
      }
      store(y + j * s.C + c, total, m);
    });
  }
}

}  // namespace

void resize_forward(const Exec& ex, Out y, In x, const ResizeShape& s) {
  by_float_type(x.dtype, [&]<class T>(T) {
    by_taps(s.filter, [&]<int K>(Count<K>) {
      const AxisTaps<T, K> taps = make_taps<T, K>(s, 0);
      const int64_t row = s.w * s.C;
      parallel_for(ex, s.N * s.h, 4096 / (row + 1) + 1, [&](int64_t begin, int64_t end) {
        for (int64_t job = begin; job < end; ++job)
          resize_row(y.as<T>() + job * row, x.as<T>() + job / s.h * s.H * s.W * s.C,
                     taps.rows[job % s.h], taps.columns, s);
      });
    });
  });
}

}  // namespace limber::kernels::cpu::LIMBER_ISA
