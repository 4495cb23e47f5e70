// Parametric ReLU.
#pragma once

#include "kernels/kernel.h"

namespace limber::kernels {

// y = x > 0 ? x : slope x.   x, y: (rows, C), slope: (C,), or (1,) with `shared`.
LIMBER_KERNEL(prelu_forward, Out y, In x, In slope, int64_t rows, int64_t C, bool shared)
// dx = x > 0 ? dy : slope dy,  dslope[c] = sum_rows x > 0 ? 0 : x dy.   dslope: (C,) also when the
// slope is shared.
LIMBER_KERNEL(prelu_backward, Out dx, Out dslope, In dy, In x, In slope, int64_t rows, int64_t C,
              bool shared)

}  // namespace limber::kernels
