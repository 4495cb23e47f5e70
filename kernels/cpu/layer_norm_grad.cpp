// Gradients of layer norm and scale norm.
#include "kernels/cpu/columns.h"
#include "kernels/cpu/rows.h"
#include "kernels/norm.h"

namespace limber::kernels::cpu::LIMBER_ISA {
namespace {

// dx of one row whose normalised numbers are (x - mean) rstd.
template <class T>
void layer_norm_row(T* dx, const T* dy, const T* x, const T* w, T mean, T rstd, int64_t C) {
  const auto weighted = [&](int64_t i, int64_t m) {
    const Vec<T> g = load(dy + i, m);
    return w != nullptr ? g * load(w + i, m) : g;
  };
  const T a = row_sum<T>(C, weighted) / T(C);
  const T b =
      row_sum<T>(C, [&](int64_t i,
                        int64_t m) { return weighted(i, m) * ((load(x + i, m) - mean) * rstd); }) /
      T(C);
  for_lanes<T>(C, [&](int64_t i, int64_t m) {
    const Vec<T> z = (load(x + i, m) - mean) * rstd;
    store(dx + i, (weighted(i, m) - a - z * b) * rstd, m);
  });
}

}  // namespace

void layer_norm_backward(const Exec& ex, Out dx, Out dweight, Out dbias, In dy, In x, In mean,
                         In rstd, In weight, int64_t rows, int64_t C) {
  by_float_type(x.dtype, [&]<class T>(T) {
    const T *grad = dy.as<T>(), *from = x.as<T>(), *centers = mean.as<T>(), *scales = rstd.as<T>();
    if (dx.data != nullptr) {
      for_rows(ex, rows, C, [&](int64_t r) {
        layer_norm_row(dx.as<T>() + r * C, grad + r * C, from + r * C, weight.as<T>(), centers[r],
                       scales[r], C);
      });
    }
    if (dweight.data == nullptr && dbias.data == nullptr) return;
    T* sums =
        static_cast<T*>(thread_scratch(size_t(2 * C + column_parts(1, rows, C, 2)) * sizeof(T)));
    column_sums<2>(ex, sums, sums + 2 * C, 1, rows, C,
                   [&](Vec<T>* sum, int64_t, int64_t r, int64_t i, int64_t m) {
                     const Vec<T> g = load(grad + r * C + i, m);
                     sum[0] += g * ((load(from + r * C + i, m) - centers[r]) * scales[r]);
                     sum[1] += g;
                   });
    for (int64_t c = 0; c < C; ++c) {
      if (dweight.data != nullptr) dweight.as<T>()[c] = sums[c];
      if (dbias.data != nullptr) dbias.as<T>()[c] = sums[C + c];
    }
  });
}

void scale_norm_backward(const Exec& ex, Out dx, Out dgain, In dy, In x, In length, In gain,
                         int64_t rows, int64_t C, double eps) {
  by_float_type(x.dtype, [&]<class T>(T) {
    for_rows(ex, rows, C, [&](int64_t r) {
      const T *grad = dy.as<T>() + r * C, *from = x.as<T>() + r * C;
      const T dot = row_sum<T>(
          C, [&](int64_t i, int64_t m) { return load(grad + i, m) * load(from + i, m); });
      const T rms = length.as<T>()[r];
      const bool cut = rms < T(eps);
      const T inverse = T(1) / (cut ? T(eps) : rms);
      const T factor = *gain.as<T>() * inverse;
      const T slope = cut ? T(0) : factor * dot * inverse * inverse / T(C);
      dgain.as<T>()[r] = dot * inverse;
      if (dx.data == nullptr) return;
      for_lanes<T>(C, [&](int64_t i, int64_t m) {
        store(dx.as<T>() + r * C + i, load(grad + i, m) * factor - load(from + i, m) * slope, m);
      });
    });
  });
}

}  // namespace limber::kernels::cpu::LIMBER_ISA
