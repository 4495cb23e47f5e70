// Heat maps with a Gaussian at the rounded key point, or at the exact one with `unbiased` (DARK).
#pragma once

#include "pose/codecs/heatmap_ops.h"

namespace limber {

// Xiao, Wu and Wei 2018, arXiv 1804.06208; Zhang et al. 2020, arXiv 1910.06278.
class MSRAHeatmap : public Codec {
 public:
  explicit MSRAHeatmap(const Config& config);
  // heatmaps (K, H, W), keypoint_weights (1, K).
  TensorLists encode(const EncodeInput& input) const override;
  std::optional<TargetSketch> sketch(const EncodeInput& input) const override;
  // {heatmaps (K, H, W)} -> key points (1, K, 2), scores (1, K).
  Decoded decode(std::span<const Tensor> encoded) const override;
  std::map<std::string, std::string> label_mapping() const override;
  std::map<std::string, std::string> field_mapping() const override;

 private:
  MapBells bells(const EncodeInput& input) const;

  Size heatmap_size_;
  double scale_x_, scale_y_;  // input pixels per map pixel
  double sigma_;              // map pixels
  bool unbiased_;
  int blur_kernel_size_;
};

}  // namespace limber
