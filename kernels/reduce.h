// Sums along one dimension.
#pragma once

#include "kernels/kernel.h"

namespace limber::kernels {

// y[o, i] = scale * sum_k x[o, k, i].   x: (outer, n, inner), y: (outer, inner).
// The order of additions depends on the extents alone, so any number of threads gives the same
// bits.
LIMBER_KERNEL(sum_forward, Out y, In x, int64_t outer, int64_t n, int64_t inner, double scale)

}  // namespace limber::kernels
