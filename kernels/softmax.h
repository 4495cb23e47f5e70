// Softmax and its logarithm over the last dimension.
#pragma once

#include "kernels/kernel.h"

namespace limber::kernels {

// y[r, c] = exp(x[r, c] - max_c x[r, c]) / sum_c exp(...).   x, y: (rows, cols).
LIMBER_KERNEL(softmax_forward, Out y, In x, int64_t rows, int64_t cols)
// dx[r, c] = y[r, c] (dy[r, c] - sum_c dy[r, c] y[r, c]).
LIMBER_KERNEL(softmax_backward, Out dx, In dy, In y, int64_t rows, int64_t cols)

// y[r, c] = x[r, c] - max - log sum_c exp(x[r, c] - max).
LIMBER_KERNEL(log_softmax_forward, Out y, In x, int64_t rows, int64_t cols)
// dx[r, c] = dy[r, c] - exp(y[r, c]) sum_c dy[r, c].
LIMBER_KERNEL(log_softmax_backward, Out dx, In dy, In y, int64_t rows, int64_t cols)

}  // namespace limber::kernels
