// The bits of the two 16-bit float types and f32. Always inlined: kernels of every instruction set
// include this header.
#pragma once

#include "kernels/types.h"

namespace limber {

LIMBER_INLINE float from_bf16(uint16_t bits) {
  return __builtin_bit_cast(float, uint32_t(bits) << 16);
}

// Nearest, halves to even; a NaN stays one.
LIMBER_INLINE uint16_t to_bf16(float value) {
  const uint32_t bits = __builtin_bit_cast(uint32_t, value);
  if (value != value) return uint16_t((bits >> 16) | 0x40);
  return uint16_t((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

// IEEE 754 binary16, subnormal numbers, infinities and NaN included.
LIMBER_INLINE float from_f16(uint16_t bits) {
  const uint32_t sign = uint32_t(bits & 0x8000) << 16, mantissa = bits & 0x3ff;
  const uint32_t exponent = (bits >> 10) & 0x1f;
  if (exponent == 0) {
    const float magnitude = float(mantissa) * 0x1p-24f;
    return sign != 0 ? -magnitude : magnitude;
  }
  const uint32_t wide = exponent == 0x1f ? 0xff : exponent + 127 - 15;
  return __builtin_bit_cast(float, sign | wide << 23 | mantissa << 13);
}

// Nearest, halves to even; beyond 65504 infinity, below 2^-14 subnormal.
LIMBER_INLINE uint16_t to_f16(float value) {
  const uint32_t bits = __builtin_bit_cast(uint32_t, value);
  const uint16_t sign = uint16_t((bits >> 16) & 0x8000);
  const uint32_t magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return uint16_t(sign | 0x7e00);   // NaN
  if (magnitude >= 0x477ff000) return uint16_t(sign | 0x7c00);  // rounds to infinity
  if (magnitude < 0x38800000) {
    // Adding 1/2 leaves the multiple of 2^-24 in the low bits, rounded by the addition itself.
    const float shifted = __builtin_bit_cast(float, magnitude) + 0.5f;
    return uint16_t(sign | uint16_t(__builtin_bit_cast(uint32_t, shifted) - 0x3f000000));
  }
  const uint32_t rounded = magnitude + 0xfff + ((magnitude >> 13) & 1);
  return uint16_t(sign | uint16_t((rounded - 0x38000000) >> 13));
}

}  // namespace limber
