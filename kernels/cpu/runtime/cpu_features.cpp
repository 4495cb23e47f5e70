#include "kernels/cpu/runtime/cpu_features.h"

#include <cstdlib>
#include <ranges>

namespace limber::kernels {

#if defined(__x86_64__)

// The flag sets of x86-64-v3 and v4, which the kernels are compiled for.
bool has_isa(Isa isa) {
  switch (isa) {
    case Isa::base:
      return true;
    case Isa::avx2:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
             __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
    case Isa::avx512:
      return has_isa(Isa::avx2) && __builtin_cpu_supports("avx512f") &&
             __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
             __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512cd");
  }
  return false;
}

#else

// Elsewhere every set that is compiled belongs to the architecture: NEON to all of aarch64.
bool has_isa(Isa) { return true; }

#endif

std::string_view isa_name(Isa isa) {
#define LIMBER_ISA_NAME(set, ...) #set,
  static constexpr std::string_view names[] = {LIMBER_EACH_ISA(LIMBER_ISA_NAME, )};
#undef LIMBER_ISA_NAME
  return names[static_cast<int>(isa)];
}

Isa best_isa() {
  static const Isa best = [] {
    const char* wanted = std::getenv("LIMBER_ISA");
    for (Isa isa : kIsas | std::views::reverse) {
      const bool allowed = wanted == nullptr || wanted == isa_name(isa);
      if (allowed && has_isa(isa)) return isa;
    }
    return Isa::base;
  }();
  return best;
}

}  // namespace limber::kernels
