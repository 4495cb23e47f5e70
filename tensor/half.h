// The two 16-bit float types of checkpoints, read as f32.
#pragma once

#include <bit>
#include <cstdint>

#include "tensor/tensor.h"

namespace limber {

inline float from_bf16(uint16_t bits) { return std::bit_cast<float>(uint32_t(bits) << 16); }

// IEEE 754 binary16, subnormal numbers, infinities and NaN included.
inline float from_f16(uint16_t bits) {
  const uint32_t sign = uint32_t(bits & 0x8000) << 16, mantissa = bits & 0x3ff;
  const uint32_t exponent = (bits >> 10) & 0x1f;
  if (exponent == 0) {
    const float magnitude = float(mantissa) * 0x1p-24f;
    return sign != 0 ? -magnitude : magnitude;
  }
  const uint32_t wide = exponent == 0x1f ? 0xff : exponent + 127 - 15;
  return std::bit_cast<float>(sign | wide << 23 | mantissa << 13);
}

// f16 and bf16 become f32; every other type stays as it is.
Tensor widened(const Tensor& t);

}  // namespace limber
