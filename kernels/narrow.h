// Products of 16-bit and 8-bit numbers, for planned convolutions: what is rounded how, and which
// part of the processor multiplies it.
#pragma once

#include "kernels/isa.h"

namespace limber::kernels {

// In which numbers a planned convolution multiplies x and its weight. y, bias and residual are f32.
enum class Precision : uint8_t {
  f32,
  // Both rounded to bf16, nearest, halves to even; sums in f32.
  bf16,
  // x as q = round(x / step) + zero in 0..255 (Quantiser); each filter of the weight as
  // v = round(w / s) in -127..127 with s = max |w| / 127. Sums are exact:
  // y = step s sum (q - zero) v.
  int8,
};

LIMBER_INLINE int64_t bytes_of(Precision p) {
  return p == Precision::f32 ? 4 : p == Precision::bf16 ? 2 : 1;
}

// What multiplies narrow numbers. On a set of instructions without either, plans compute in f32.
enum class MatrixUnit : uint8_t {
  none,   // plain loops, the specification of the others
  dot,    // dot products of pairs and quads in vector registers: AVX512-BF16, AVX512-VNNI
  tiles,  // AMX: products of 16 x 16 tiles
};

struct Narrow {
  Precision precision = Precision::f32;
  MatrixUnit unit = MatrixUnit::none;
  float low = 0, high = 0;  // of int8: the range of x; low <= 0 <= high, low < high
};

// x is taken as (q - zero) step. Zero, of which borders are made, is exact.
struct Quantiser {
  float step, inverse;
  int32_t zero;
};
LIMBER_INLINE Quantiser quantiser_of(const Narrow& n) {
  const float step = (n.high - n.low) / 255;
  return {step, 1 / step, int32_t(-n.low / step + 0.5f)};
}

// The fastest unit that an instruction set's kernels may use on this machine, none where there is
// none. LIMBER_ISA=amx|dot|avx512 in the environment lowers it.
MatrixUnit matrix_unit(Isa isa, Precision precision);
bool has_unit(MatrixUnit unit, Precision precision);

}  // namespace limber::kernels
