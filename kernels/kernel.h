// LIMBER_KERNEL(name, parameters...) declares one kernel for every target it is compiled for, and
// a callable `name(exec, ...)` that picks one of them. No table is filled at run time and nothing
// registers itself: a target without the function does not link.
#pragma once

#include "kernels/exec.h"
#include "kernels/types.h"

namespace limber::kernels {

template <class Signature>
struct Kernel;

template <class... Args>
struct Kernel<void(Args...)> {
  using Function = void (*)(const Exec&, Args...);
  const char* name;
  Function base, avx2, avx512;

  LIMBER_INLINE void operator()(const Exec& ex, Args... args) const {
    switch (ex.isa) {
      case Isa::avx512:
        return avx512(ex, args...);
      case Isa::avx2:
        return avx2(ex, args...);
      case Isa::base:
        return base(ex, args...);
    }
  }
};

}  // namespace limber::kernels

#define LIMBER_KERNEL(kernel, ...)                                               \
  namespace cpu::base {                                                          \
  void kernel(const Exec&, __VA_ARGS__);                                         \
  }                                                                              \
  namespace cpu::avx2 {                                                          \
  void kernel(const Exec&, __VA_ARGS__);                                         \
  }                                                                              \
  namespace cpu::avx512 {                                                        \
  void kernel(const Exec&, __VA_ARGS__);                                         \
  }                                                                              \
  inline constexpr Kernel<void(__VA_ARGS__)> kernel{#kernel, &cpu::base::kernel, \
                                                    &cpu::avx2::kernel, &cpu::avx512::kernel};
