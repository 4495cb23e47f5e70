#include "kernels/cpu/runtime/cpu_features.h"

#include <cstdlib>

namespace limber::kernels {

bool has_isa(Isa isa) {
  // The flag sets of x86-64-v3 and v4, which the kernels are compiled for.
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

std::string_view isa_name(Isa isa) {
  switch (isa) {
    case Isa::base:
      return "base";
    case Isa::avx2:
      return "avx2";
    case Isa::avx512:
      return "avx512";
  }
  return "";
}

Isa best_isa() {
  static const Isa best = [] {
    const char* wanted = std::getenv("LIMBER_ISA");
    for (Isa isa : {Isa::avx512, Isa::avx2, Isa::base}) {
      const bool allowed = wanted == nullptr || wanted == isa_name(isa);
      if (allowed && has_isa(isa)) return isa;
    }
    return Isa::base;
  }();
  return best;
}

}  // namespace limber::kernels
