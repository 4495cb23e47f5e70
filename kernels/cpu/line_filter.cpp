// Line filters: a vector of outputs is summed in registers over the taps.
#include "kernels/line_filter.h"

#include "kernels/cpu/simd.h"

namespace limber::kernels::cpu::LIMBER_ISA {
namespace {

// a b + c, rounded once. The compiler fuses it where there is an instruction; elsewhere products of
// floats are exact in double.
LIMBER_INLINE Vec<float> fused(Vec<float> a, Vec<float> b, Vec<float> c) {
#if defined(LIMBER_ISA_base)
  typedef double Wide __attribute__((vector_size(2 * kVecBytes)));
  return __builtin_convertvector(
      __builtin_convertvector(a, Wide) * __builtin_convertvector(b, Wide) +
          __builtin_convertvector(c, Wide),
      Vec<float>);
#else
  return a * b + c;
#endif
}

}  // namespace

void filter_rows(const Exec&, float* y, const float* x, const float* w, int64_t rows,
                 int64_t columns, int64_t taps) {
  for (int64_t r = 0; r < rows; ++r) {
    const float* row = x + r * (columns + taps - 1);
    for_lanes<float>(columns, [&](int64_t i, int64_t m) {
      Vec<float> sum = splat(w[0]) * load(row + i, m);
      for (int64_t j = 1; j < taps; ++j) sum = fused(splat(w[j]), load(row + i + j, m), sum);
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
        sum = fused(splat(w[half + j]),
                    load(centre + i - j * columns, m) + load(centre + i + j * columns, m), sum);
      store(y + r * columns + i, sum, m);
    });
  }
}

}  // namespace limber::kernels::cpu::LIMBER_ISA
