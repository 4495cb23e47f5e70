#include "kernels/cpu/runtime/cpu_features.h"

#include <cstdlib>
#include <ranges>

#include "kernels/narrow.h"

#if defined(__x86_64__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace limber::kernels {
namespace {

// What the environment allows; null: all.
const char* wanted_isa() { return std::getenv("LIMBER_ISA"); }

bool wants(std::string_view name) { return wanted_isa() == nullptr || wanted_isa() == name; }

}  // namespace

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

namespace {

// The registers of tiles are large, so that Linux gives them only to processes that ask. Threads
// that come later may use them too.
bool tiles_are_given() {
  constexpr long kRequestPermission = 0x1023, kTileData = 18;  // ARCH_REQ_XCOMP_PERM, XTILEDATA
  static const bool given = syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
  return given;
}

}  // namespace

bool has_unit(MatrixUnit unit, Precision precision) {
  const bool bf16 = precision == Precision::bf16;
  switch (unit) {
    case MatrixUnit::none:
      return true;
    case MatrixUnit::dot:
      return has_isa(Isa::avx512) &&
             (bf16 ? __builtin_cpu_supports("avx512bf16") : __builtin_cpu_supports("avx512vnni"));
    case MatrixUnit::tiles:
      return has_isa(Isa::avx512) && __builtin_cpu_supports("amx-tile") &&
             (bf16 ? __builtin_cpu_supports("amx-bf16") : __builtin_cpu_supports("amx-int8")) &&
             tiles_are_given();
  }
  return false;
}

MatrixUnit matrix_unit(Isa isa, Precision precision) {
  if (isa != Isa::avx512 || precision == Precision::f32) return MatrixUnit::none;
  if (wants("amx") && has_unit(MatrixUnit::tiles, precision)) return MatrixUnit::tiles;
  // Of bf16 Intel's processors add half as many dot products at a time as f32's products (Sapphire
  // Rapids: 80 GFLOP/s beside 150), AMD's from Zen 4 on twice as many.
  const bool fast = precision == Precision::int8 || __builtin_cpu_is("amd");
  const bool asked = wanted_isa() != nullptr && wants("dot");
  if (((fast && wants("amx")) || asked) && has_unit(MatrixUnit::dot, precision))
    return MatrixUnit::dot;
  return MatrixUnit::none;
}

#else

bool has_unit(MatrixUnit unit, Precision) { return unit == MatrixUnit::none; }
MatrixUnit matrix_unit(Isa, Precision) { return MatrixUnit::none; }

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
    for (Isa isa : kIsas | std::views::reverse) {
      // The units of narrow.h belong to the widest set.
      const bool allowed = wants(isa_name(isa)) || wants("amx") || wants("dot");
      if (allowed && has_isa(isa)) return isa;
    }
    return Isa::base;
  }();
  return best;
}

}  // namespace limber::kernels
