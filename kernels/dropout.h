// Multiplication with a mask of bytes.
#pragma once

#include "kernels/kernel.h"

namespace limber::kernels {

// y[o, i] = mask[o] != 0 ? scale x[o, i] : 0.   x, y: (outer, inner), mask: u8 (outer,).
LIMBER_KERNEL(masked_scale, Out y, In x, In mask, int64_t outer, int64_t inner, double scale)

}  // namespace limber::kernels
