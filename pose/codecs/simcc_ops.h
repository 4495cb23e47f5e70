// Key points as one-dimensional distributions over finely split axes (SimCC; Li et al. 2022, arXiv
// 2107.03332): drawing them, and reading them. The axes are x and y, of 3-D key points depth, too.
#pragma once

#include "pose/codecs/codec_support.h"
#include "pose/codecs/heatmap_ops.h"

namespace limber {

// One axis of a Gaussian label.
struct SimccAxis {
  int64_t bins = 0;
  double sigma = 0;  // bins

  // Whether a key point at this bin is near enough to leave a trace: 3 sigma reach the axis.
  bool is_near(double bin) const;
  // The normal distribution around this bin; with `normalize` its density, else 1 at its top.
  kernels::Bell bell(double bin, bool normalize) const;
  // The odd width of the kernel that DARK along this axis blurs with.
  int dark_kernel() const;
};

// Draws what a sketch describes by lines: the arrays of encode().
TensorLists drawn_lines(TargetSketch sketch);

// A network's signals (N, K, bins), from (K, bins) too, as f32. Throws naming codec and axis.
Tensor read_simcc_signals(const Tensor& t, int64_t bins, const char* codec, const char* axis);

// axes: x (..., K, Wx), y (..., K, Wy) and whatever follows: the bins of all maxima, and the
// smaller one of the maxima along x and y, that alone; -1 for all bins where that is not positive.
// Locations (..., K, axes), values (..., K).
// `softmax`: the value is that of the softmax along each axis; the bins are the same.
Peaks find_simcc_peaks(std::span<const Tensor> axes, bool softmax = false);

// bins (N, K, axes), whole numbers: coordinate `axis` (0: x, 1: y, 2: depth) of each moves to the
// top of the parabola fitted to the logarithm of the blurred signal. signals (N, K, L). In place.
void refine_simcc_dark(const Tensor& bins, int axis, const Tensor& signals, int blur_kernel_size);

}  // namespace limber
