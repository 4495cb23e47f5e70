// Line filters: a vector of outputs is summed in registers over the taps.
#include "kernels/line_filter.h"

#include "kernels/cpu/simd.h"

namespace limber::kernels::cpu::LIMBER_ISA {

void filter_rows(const Exec&, float* y, const float* x, const float* w, int64_t rows,
                 int64_t columns, int64_t taps) {
  for (int64_t r = 0; r < rows; ++r) {
    const float* row = x + r * (columns + taps - 1);
    for_lanes<float>(columns, [&](int64_t i, int64_t m) {
      Vec<float> sum = splat(w[0]) * load(row + i, m);
      for (int64_t j = 1; j < taps; ++j) sum += splat(w[j]) * load(row + i + j, m);
      store(y + r * columns + i, sum, m);
    });
  }
}

void filter_columns(const Exec&, float* y, const float* x, const float* w, int64_t rows,
                    int64_t columns, int64_t taps) {
  const int64_t half = taps / 2;
  for (int64_t r = 0; r < rows; ++r) {
    const float* centre = x + (r + half) * columns;
    for_lanes<float>(columns, [&](int64_t i, int64_t m) {
      Vec<float> sum = splat(w[half]) * load(centre + i, m);
      for (int64_t j = 1; j <= half; ++j)
        sum += splat(w[half + j]) *
               (load(centre + i - j * columns, m) + load(centre + i + j * columns, m));
      store(y + r * columns + i, sum, m);
    });
  }
}

}  // namespace limber::kernels::cpu::LIMBER_ISA
