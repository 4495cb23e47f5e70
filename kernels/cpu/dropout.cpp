// Multiplication with a mask: dropout's value and its gradient. The loops are left to the compiler,
// which makes a conversion of bytes and a select of each.
#include "kernels/dropout.h"

#include "kernels/cpu/simd.h"

namespace limber::kernels::cpu::LIMBER_ISA {

void masked_scale(const Exec& ex, Out y, In x, In mask, int64_t outer, int64_t inner,
                  double scale) {
  by_float_type(y.dtype, [&]<class T>(T) {
    const uint8_t* keep = mask.as<uint8_t>();
    const T factor = T(scale);
    parallel_for(ex, outer, 16384 / (inner + 1) + 1, [&](int64_t begin, int64_t end) {
      const T* from = x.as<T>();
      T* to = y.as<T>();
      if (inner == 1) {
        for (int64_t o = begin; o < end; ++o) to[o] = keep[o] != 0 ? from[o] * factor : T(0);
        return;
      }
      for (int64_t o = begin; o < end; ++o)
        for (int64_t i = o * inner; i < (o + 1) * inner; ++i)
          to[i] = keep[o] != 0 ? from[i] * factor : T(0);
    });
  });
}

}  // namespace limber::kernels::cpu::LIMBER_ISA
