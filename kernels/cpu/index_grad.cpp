// The gradient of a gather: additions at the gathered positions. Threads take whole blocks of
// (outer, inner), so that two never add to one element and the order of additions is fixed.
#include "kernels/cpu/simd.h"
#include "kernels/index.h"

namespace limber::kernels::cpu::LIMBER_ISA {

void gather_backward(const Exec& ex, const Indexed& s, Out dx, In dy, In index) {
  by_float_type(dx.dtype, [&]<class T>(T) {
    constexpr int64_t kWidth = 64;
    const int64_t blocks = (s.inner + kWidth - 1) / kWidth;
    const int64_t* at = index.as<int64_t>();
    parallel_for(ex, s.outer * blocks, 8192 / (s.k * kWidth) + 1, [&](int64_t begin, int64_t end) {
      for (int64_t job = begin; job < end; ++job) {
        const int64_t o = job / blocks, first = job % blocks * kWidth;
        const int64_t past = first + kWidth < s.inner ? first + kWidth : s.inner;
        T* to = dx.as<T>() + o * s.n * s.inner;
        for (int64_t j = 0; j < s.k; ++j) {
          const int64_t row = (o * s.k + j) * s.inner;
          const T* grad = dy.as<T>() + row;
          if (s.shared) {
            T* target = to + at[j] * s.inner;
            for (int64_t i = first; i < past; ++i) target[i] += grad[i];
          } else {
            for (int64_t i = first; i < past; ++i) to[at[row + i] * s.inner + i] += grad[i];
          }
        }
      }
    });
  });
}

}  // namespace limber::kernels::cpu::LIMBER_ISA
