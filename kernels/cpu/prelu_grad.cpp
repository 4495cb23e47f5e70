// Gradients of parametric ReLU.
#include "kernels/cpu/columns.h"
#include "kernels/cpu/rows.h"
#include "kernels/prelu.h"

namespace limber::kernels::cpu::LIMBER_ISA {

void prelu_backward(const Exec& ex, Out dx, Out dslope, In dy, In x, In slope, int64_t rows,
                    int64_t C, bool shared) {
  by_float_type(x.dtype, [&]<class T>(T) {
    const T *a = slope.as<T>(), *grad = dy.as<T>(), *from = x.as<T>();
    if (dx.data != nullptr) {
      for_rows(ex, rows, C, [&](int64_t r) {
        for_lanes<T>(C, [&](int64_t i, int64_t m) {
          const Vec<T> g = load(grad + r * C + i, m), s = shared ? splat(*a) : load(a + i, m);
          store(dx.as<T>() + r * C + i, load(from + r * C + i, m) > 0 ? g : g * s, m);
        });
      });
    }
    if (dslope.data == nullptr) return;
    T* parts = static_cast<T*>(thread_scratch(size_t(column_parts(1, rows, C, 1)) * sizeof(T)));
    column_sums<1>(ex, dslope.as<T>(), parts, 1, rows, C,
                   [&](Vec<T>* sum, int64_t, int64_t r, int64_t i, int64_t m) {
                     const Vec<T> v = load(from + r * C + i, m), g = load(grad + r * C + i, m);
                     sum[0] += v > 0 ? Vec<T>{} : v * g;
                   });
  });
}

}  // namespace limber::kernels::cpu::LIMBER_ISA
