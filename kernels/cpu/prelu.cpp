// Parametric ReLU.
#include "kernels/prelu.h"

#include "kernels/cpu/rows.h"

namespace limber::kernels::cpu::LIMBER_ISA {

void prelu_forward(const Exec& ex, Out y, In x, In slope, int64_t rows, int64_t C, bool shared) {
  by_float_type(x.dtype, [&]<class T>(T) {
    const T* a = slope.as<T>();
    for_rows(ex, rows, C, [&](int64_t r) {
      for_lanes<T>(C, [&](int64_t i, int64_t m) {
        const Vec<T> v = load(x.as<T>() + r * C + i, m), s = shared ? splat(*a) : load(a + i, m);
        store(y.as<T>() + r * C + i, v > 0 ? v : v * s, m);
      });
    });
  });
}

}  // namespace limber::kernels::cpu::LIMBER_ISA
