// Convolutions with one channel per group, vectorised over channels.
#pragma once

#include "kernels/cpu/conv_dense.h"

namespace limber::kernels::cpu::LIMBER_ISA {

// Distance of every tap, row by row, from the first pixel of its position. Returns how many.
int64_t tap_offsets(const Gather& g, int64_t* offset);

// As multiply_windows(), for groups of one channel and one filter.
void depthwise_windows(const Exec& ex, const Product& p);

// As pack_product(): (taps, channels).
void pack_depthwise(const Product& p, float* packed);
LIMBER_INLINE int64_t packed_depthwise(const Product& p) {
  return p.gather.vertical.count * p.gather.horizontal.count * p.K;
}

// As weight_by_windows(), for groups of one channel and one filter.
void depthwise_weight(const Exec& ex, const Conv& s, float* dweight, const float* x,
                      const float* dy);

}  // namespace limber::kernels::cpu::LIMBER_ISA
