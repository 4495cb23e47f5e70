// Reading and adding at positions that are data, and finding where the largest numbers stand.
// x is seen as (outer, n, inner), the indexed dimension in the middle.
#pragma once

#include "kernels/kernel.h"

namespace limber::kernels {

// The positions of one gather: k along the middle dimension, of (outer, k, inner) or, where
// `shared`, the same k for all outer and inner.
struct Indexed {
  int64_t outer = 1, n = 1, inner = 1, k = 1;
  bool shared = false;
};

// y[o, j, i] = x[o, index[o, j, i], i], or x[o, index[j], i] where shared.
// x: (outer, n, inner) of any type, y: (outer, k, inner), index: i64 in [0, n).
LIMBER_KERNEL(gather_forward, const Indexed& s, Out y, In x, In index)
// dx[o, index[...], i] += dy[o, j, i] on a dx that the caller has set to zero. The additions to an
// element are in the order of j.
LIMBER_KERNEL(gather_backward, const Indexed& s, Out dx, In dy, In index)

// y[o, i] = max_j x[o, j, i] (min where `largest` is false), index[o, i] the first j that has it.
// A NaN wins over every number.
LIMBER_KERNEL(extreme_forward, bool largest, Out y, Out index, In x, int64_t outer, int64_t n,
              int64_t inner)

// The k largest of each row, descending, and where they stood; of equal numbers the first ones.
// x: (rows, n), y and index: (rows, k), 1 <= k <= n.
LIMBER_KERNEL(topk_forward, Out y, Out index, In x, int64_t rows, int64_t n, int64_t k)

}  // namespace limber::kernels
