// Correlation of the rows of an image, or of its columns, with a short line of weights. What
// separable blurs are made of. f32 only; the caller pads.
//
// The order of summation is part of the contract, and each product is added without rounding it
// first: so the results equal those of the image library that the reference's numbers come from,
// and decoders look at the sign of differences between neighbours.
#pragma once

#include "kernels/kernel.h"

namespace limber::kernels {

// y[r, c] = sum_j w[j] x[r, c + j], j ascending.   y: (rows, columns), x: (rows, columns + taps -
// 1).
LIMBER_CPU_KERNEL(filter_rows, float* y, const float* x, const float* w, int64_t rows,
                  int64_t columns, int64_t taps)

// y[r, c] = w[h] x[r + h, c] + sum_j w[h + j] (x[r + h - j, c] + x[r + h + j, c]), h = taps / 2,
// j = 1 ... h ascending; w is symmetric and taps odd.   y: (rows, columns), x: (rows + taps - 1,
// columns).
LIMBER_CPU_KERNEL(filter_columns, float* y, const float* x, const float* w, int64_t rows,
                  int64_t columns, int64_t taps)

}  // namespace limber::kernels
