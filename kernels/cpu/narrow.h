// Products of windows and weights in bf16 and int8 (kernels/narrow.h): the same Product as
// conv_dense.h takes, without groups, in f32 from end to end but for the multiplication.
#pragma once

#include "kernels/cpu/conv_dense.h"

namespace limber::kernels::cpu::LIMBER_ISA {

// Numbers of a packed weight: of bf16, or bytes.
int64_t narrow_numbers(const Product& p, const Narrow& n);

// Rounds and packs the weight for narrow_windows().
void pack_narrow(const Product& p, const Narrow& n, void* packed);

// As multiply_windows(). Sums of one result are added in an order that depends on the geometry and
// the unit alone. In bf16 an infinity or NaN may spread to the pixels beside those that it reaches.
void narrow_windows(const Exec& ex, const Product& p, const Narrow& n, const void* packed);

// ---- between the files of this subject

// x as an integer: round(x / step) + zero, within 0..255; of a NaN the least.
LIMBER_INLINE int32_t quantised(float x, const Quantiser& q) {
  const float low = float(-q.zero), high = float(255 - q.zero), t = x * q.inverse;
  const float inside = t > low ? (t < high ? t : high) : low;
  return int32_t((inside + 12582912.0f) - 12582912.0f) + q.zero;  // 1.5 * 2^23 rounds
}

// s of filter f, of all its taps: the largest magnitude over 127.
float weight_step(const Product& p, int64_t f);
LIMBER_INLINE int32_t quantised_weight(float w, float step) {
  return step > 0 ? int32_t((w / step + 12582912.0f) - 12582912.0f) : 0;
}

// Where the number of filter f, tap (r, s) and channel c stands in the weight.
LIMBER_INLINE int64_t weight_at(const Product& p, int64_t r, int64_t s, int64_t f, int64_t c) {
  return (r * p.S + s) * p.tap_size + (p.filter_first ? f * p.row_size + c : c * p.row_size + f);
}

// The plain form: loops over all sums, weights in their order.
int64_t plain_narrow_numbers(const Product& p, const Narrow& n);
void pack_plain_narrow(const Product& p, const Narrow& n, void* packed);
void plain_narrow_windows(const Exec& ex, const Product& p, const Narrow& n, const void* packed);

}  // namespace limber::kernels::cpu::LIMBER_ISA
