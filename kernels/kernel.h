// LIMBER_KERNEL(name, parameters...) declares one kernel for every target it is compiled for, and
// a callable `name(exec, ...)` that picks one of them. No table is filled at run time and nothing
// registers itself: a target without the function does not link. LIMBER_CPU_KERNEL is for what runs
// on the CPU alone on purpose.
#pragma once

#include "kernels/exec.h"
#include "kernels/types.h"

namespace limber::kernels {

// Throws: no kernel of this name for a GPU. Defined by kernels/cuda/runtime or kernels/cuda/absent.
[[noreturn]] void no_cuda_kernel(const char* name);

template <class Signature>
struct Kernel;

template <class... Args>
struct Kernel<void(Args...)> {
  using Function = void (*)(const Exec&, Args...);
  const char* name;
  Function by_isa[sizeof(kIsas)];
  Function cuda;  // null: this build or this kernel has none

  LIMBER_INLINE void operator()(const Exec& ex, Args... args) const {
    if (ex.device.is_cuda()) {
      if (cuda == nullptr) no_cuda_kernel(name);
      Exec named = ex;
      named.kernel = name;
      return cuda(named, args...);
    }
    by_isa[static_cast<int>(ex.isa)](ex, args...);
  }
};

}  // namespace limber::kernels

#if defined(LIMBER_CUDA)
#define LIMBER_CUDA_DECLARATION(kernel, ...) \
  namespace cuda {                           \
  void kernel(const Exec& ex, __VA_ARGS__);  \
  }
#define LIMBER_CUDA_ADDRESS(kernel) &cuda::kernel
#else
#define LIMBER_CUDA_DECLARATION(kernel, ...)
#define LIMBER_CUDA_ADDRESS(kernel) nullptr
#endif

#define LIMBER_DECLARE_KERNEL(isa, kernel, ...) \
  namespace cpu::isa {                          \
  void kernel(const Exec&, __VA_ARGS__);        \
  }
#define LIMBER_KERNEL_ADDRESS(isa, kernel) &cpu::isa::kernel,

#define LIMBER_KERNEL(kernel, ...)                            \
  LIMBER_EACH_ISA(LIMBER_DECLARE_KERNEL, kernel, __VA_ARGS__) \
  LIMBER_CUDA_DECLARATION(kernel, __VA_ARGS__)                \
  inline constexpr Kernel<void(__VA_ARGS__)> kernel{          \
      #kernel, {LIMBER_EACH_ISA(LIMBER_KERNEL_ADDRESS, kernel)}, LIMBER_CUDA_ADDRESS(kernel)};

#define LIMBER_CPU_KERNEL(kernel, ...)                        \
  LIMBER_EACH_ISA(LIMBER_DECLARE_KERNEL, kernel, __VA_ARGS__) \
  inline constexpr Kernel<void(__VA_ARGS__)> kernel{          \
      #kernel, {LIMBER_EACH_ISA(LIMBER_KERNEL_ADDRESS, kernel)}, nullptr};
