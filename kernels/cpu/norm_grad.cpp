// Gradients of normalisation by groups of channels: one sweep for the sums, one for dx.
#include "kernels/cpu/columns.h"
#include "kernels/norm.h"

namespace limber::kernels::cpu::LIMBER_ISA {
namespace {

// dx = dy factor + (x - mean) slope + offset: the coefficients of the D channels of one group, from
// their sums of dy and dy (x - mean).
template <class T>
void group_coefficients(T* factor, T* slope, T* offset, const T* sum_dy, const T* sum_dyx,
                        const T* weight, T rstd, int64_t D, int64_t L, bool fixed) {
  double a = 0, b = 0;
  for (int64_t d = 0; d < D; ++d) {
    const double w = weight != nullptr ? double(weight[d]) : 1.0;
    a += w * double(sum_dy[d]);
    b += w * double(sum_dyx[d]);
  }
  const double r = double(rstd), count = double(D * L);
  for (int64_t d = 0; d < D; ++d) {
    factor[d] = rstd * (weight != nullptr ? weight[d] : T(1));
    slope[d] = fixed ? T(0) : T(-r * r * r * b / count);
    offset[d] = fixed ? T(0) : T(-r * a / count);
  }
}

template <class T>
void parameter_gradients(T* dweight, T* dbias, const T* sums, const T* rstd, const NormShape& s) {
  const int64_t D = s.C / s.G;
  for (int64_t c = 0; c < s.C; ++c) {
    double w = 0, b = 0;
    for (int64_t n = 0; n < s.N; ++n) {
      b += double(sums[n * 2 * s.C + c]);
      w += double(sums[(n * 2 + 1) * s.C + c]) * double(rstd[n * s.G + c / D]);
    }
    if (dweight != nullptr) dweight[c] = T(w);
    if (dbias != nullptr) dbias[c] = T(b);
  }
}

}  // namespace

void norm_backward(const Exec& ex, Out dx, Out dweight, Out dbias, In dy, In x, In mean, In rstd,
                   In weight, NormShape s, bool fixed) {
  by_float_type(x.dtype, [&]<class T>(T) {
    const int64_t D = s.C / s.G, all = s.N * s.C;
    T* sums = static_cast<T*>(
        thread_scratch(size_t(all * 6 + column_parts(s.N, s.L, s.C, 2)) * sizeof(T)));
    T *center = sums + 2 * all, *factor = center + all, *slope = factor + all;
    T *offset = slope + all, *parts = offset + all;
    for (int64_t k = 0; k < all; ++k) center[k] = mean.as<T>()[k / D];
    const T *grad = dy.as<T>(), *from = x.as<T>();
    column_sums<2>(ex, sums, parts, s.N, s.L, s.C,
                   [&](Vec<T>* sum, int64_t n, int64_t row, int64_t i, int64_t m) {
                     const Vec<T> g = load(grad + row * s.C + i, m);
                     sum[0] += g;
                     sum[1] += g * (load(from + row * s.C + i, m) - load(center + n * s.C + i, m));
                   });
    parameter_gradients(dweight.as<T>(), dbias.as<T>(), sums, rstd.as<T>(), s);
    if (dx.data == nullptr) return;
    for (int64_t group = 0; group < s.N * s.G; ++group) {
      const int64_t n = group / s.G, c = group % s.G * D, at = n * s.C + c;
      group_coefficients(factor + at, slope + at, offset + at, sums + n * 2 * s.C + c,
                         sums + (n * 2 + 1) * s.C + c,
                         weight.data != nullptr ? weight.as<T>() + c : nullptr, rstd.as<T>()[group],
                         D, s.L, fixed);
    }
    for_row_blocks(ex, s.N, s.L, s.C, [&](int64_t, int64_t n, int64_t first, int64_t last) {
      const int64_t at = n * s.C;
      for (int64_t row = n * s.L + first; row < n * s.L + last; ++row) {
        for_lanes<T>(s.C, [&](int64_t i, int64_t m) {
          const Vec<T> v = load(from + row * s.C + i, m) - load(center + at + i, m);
          const Vec<T> g = load(grad + row * s.C + i, m) * load(factor + at + i, m);
          store(dx.as<T>() + row * s.C + i,
                g + v * load(slope + at + i, m) + load(offset + at + i, m), m);
        });
      }
    });
  });
}

}  // namespace limber::kernels::cpu::LIMBER_ISA
