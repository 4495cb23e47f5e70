// SimCC: a key point as two distributions, over bins finer than pixels along x and along y.
#pragma once

#include "pose/codecs/simcc_ops.h"

namespace limber {

// Li et al. 2022, arXiv 2107.03332.
class SimCCLabel : public Codec {
 public:
  explicit SimCCLabel(const Config& config);
  // keypoint_x_labels (N, K, W * split), keypoint_y_labels (N, K, H * split),
  // keypoint_weights (N, K).
  TensorLists encode(const EncodeInput& input) const override;
  std::optional<TargetSketch> sketch(const EncodeInput& input) const override;
  // {x (N, K, W * split), y (N, K, H * split)}, without N too -> key points (N, K, 2), scores
  // (N, K) = the smaller of the two maxima, with decode_visibility the visibility (N, K).
  Decoded decode(std::span<const Tensor> encoded) const override;
  std::map<std::string, std::string> label_mapping() const override;

 private:
  bool is_near(const float* bin) const;
  kernels::Bell bell(double bin, const SimccAxis& axis) const;

  SimccAxis x_, y_;
  double split_ratio_;  // bins per pixel
  bool gaussian_, normalize_;
  double label_smooth_weight_;
  bool use_dark_, decode_visibility_;
  double decode_beta_;
};

}  // namespace limber
