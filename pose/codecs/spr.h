// Structured pose representation: a root per person and displacements from it to the key points.
#pragma once

#include "pose/codecs/instance_ops.h"

namespace limber {

// Nie et al. 2019, arXiv 1908.09220; the targets of DEKR, Geng et al. 2021, arXiv 2104.02300.
class SPR : public Codec {
 public:
  explicit SPR(const Config& config);
  // heatmaps (1, H, W) of the roots, or (K + 1, H, W) with the key points' first; heatmap_weights
  // of the same shape; displacements and displacement_weights (2 K, H, W).
  TensorLists encode(const EncodeInput& input) const override;
  // {heatmaps (1 or K + 1, h, w), displacements (2 K, h, w)}, of any size -> key points (M, K, 2),
  // instance_scores (M,) of the roots in descending order; scores (M, K), the key points' maps at
  // the key points, where there are such maps.
  Decoded decode(std::span<const Tensor> encoded) const override;
  std::map<std::string, std::string> label_mapping() const override { return {}; }
  std::map<std::string, std::string> field_mapping() const override;

 private:
  Size heatmap_size_;
  double scale_x_, scale_y_;  // input pixels per map pixel
  double root_sigma_, keypoint_sigma_ = 0;
  bool keypoint_maps_;
  RootType root_type_;
  double minimal_diagonal_;  // map pixels
  double background_weight_;
  int nms_kernel_, max_instances_;
  double threshold_;
};

}  // namespace limber
