// Layer norm and scale norm: each row by its own statistics.
#include "kernels/cpu/rows.h"
#include "kernels/norm.h"

namespace limber::kernels::cpu::LIMBER_ISA {

void layer_norm_forward(const Exec& ex, Out y, Out mean, Out rstd, In x, In weight, In bias,
                        int64_t rows, int64_t C, double eps) {
  by_float_type(x.dtype, [&]<class T>(T) {
    const T *w = weight.as<T>(), *b = bias.as<T>();
    for_rows(ex, rows, C, [&](int64_t r) {
      const T* from = x.as<T>() + r * C;
      T* to = y.as<T>() + r * C;
      const T center =
          row_sum<T>(C, [&](int64_t i, int64_t m) { return load(from + i, m); }) / T(C);
      const T square = row_sum<T>(C, [&](int64_t i, int64_t m) {
        const Vec<T> d = first_n<T>(load(from + i, m) - center, m);
        return d * d;
      });
      const T inverse = T(1) / sqrt<T>(splat(square / T(C) + T(eps)))[0];
      for_lanes<T>(C, [&](int64_t i, int64_t m) {
        Vec<T> v = (load(from + i, m) - center) * inverse;
        if (w != nullptr) v = v * load(w + i, m);
        if (b != nullptr) v = v + load(b + i, m);
        store(to + i, v, m);
      });
      mean.as<T>()[r] = center;
      rstd.as<T>()[r] = inverse;
    });
  });
}

void scale_norm_forward(const Exec& ex, Out y, Out length, In x, In gain, int64_t rows, int64_t C,
                        double eps) {
  by_float_type(x.dtype, [&]<class T>(T) {
    for_rows(ex, rows, C, [&](int64_t r) {
      const T* from = x.as<T>() + r * C;
      const T square = row_sum<T>(C, [&](int64_t i, int64_t m) {
        const Vec<T> v = load(from + i, m);
        return v * v;
      });
      const T rms = sqrt<T>(splat(square / T(C)))[0];
      const T factor = *gain.as<T>() / (rms > T(eps) ? rms : T(eps));
      for_lanes<T>(C, [&](int64_t i, int64_t m) {
        store(y.as<T>() + r * C + i, load(from + i, m) * factor, m);
      });
      length.as<T>()[r] = rms;
    });
  });
}

}  // namespace limber::kernels::cpu::LIMBER_ISA
