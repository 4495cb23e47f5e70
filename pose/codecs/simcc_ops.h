// Key points as two one-dimensional distributions over finely split x and y (SimCC; Li et al. 2022,
// arXiv 2107.03332): drawing them, and reading them.
#pragma once

#include "pose/codecs/heatmap_ops.h"

namespace limber {

// x (..., K, Wx), y (..., K, Wy): the bins of the two maxima, and the smaller of the two maxima;
// (-1, -1) where that is not positive. Locations (..., K, 2), values (..., K).
// `softmax`: the value is that of the softmax along each axis; the bins are the same.
Peaks find_simcc_peaks(const Tensor& x, const Tensor& y, bool softmax = false);

// bins (N, K, 2), whole numbers: coordinate `axis` (0: x, 1: y) of each moves to the top of the
// parabola fitted to the logarithm of the blurred signal. signals (N, K, L). In place.
void refine_simcc_dark(const Tensor& bins, int axis, const Tensor& signals, int blur_kernel_size);

}  // namespace limber
