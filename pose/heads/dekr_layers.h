// The layers of the DEKR head.
#pragma once

#include <array>

#include "nn/blocks/conv_module.h"

namespace limber {

// Adaptive activation (section 3.2): every pixel predicts an affine map of the 3 x 3 grid, which
// moves the taps of a deformable convolution; a residual block around it. `groups` branches are
// computed side by side. Parameters: regular_matrix (constant), transform_matrix_conv, adapt_conv,
// norm.
class AdaptiveActivation {
 public:
  AdaptiveActivation(const Scope& s, int64_t channels, int groups);
  Tensor operator()(const Tensor& x) const;  // (N, H, W, C) -> (N, H, W, C)

 private:
  int groups_;
  Conv2d transform_;
  Tensor weight_;
  BatchNorm norm_;
};

// Scores whole poses by their shape: a perceptron on the vectors and lengths of the skeleton's
// links, in units of the mean length of two of them, and on the key points' scores. Parameters: l1,
// l2, l3.
class RescoreNet {
 public:
  RescoreNet(const Scope& s, int64_t in_channels, std::array<int, 2> norm_links);
  // keypoints: (M, K, 2), scores: (M, K), skeleton: i64 (L, 2), pairs of key points -> (M).
  Tensor operator()(const Tensor& keypoints, const Tensor& scores, const Tensor& skeleton) const;

 private:
  std::array<int, 2> norm_links_;
  int64_t in_channels_;
  Linear l1_, l2_, l3_;
};

}  // namespace limber
