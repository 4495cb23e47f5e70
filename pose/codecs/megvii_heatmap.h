// Heat maps that are a blurred one-hot map with 255 at the key point, as MSPN and RSN use them.
#pragma once

#include "pose/codecs/codec_support.h"

namespace limber {

// Li et al. 2019, arXiv 1901.00148; Cai et al. 2020, arXiv 2003.04030.
class MegviiHeatmap : public Codec {
 public:
  explicit MegviiHeatmap(const Config& config);
  // heatmaps (K, H, W), keypoint_weights (1, K).
  TensorLists encode(const EncodeInput& input) const override;
  // {heatmaps (K, H, W)} -> key points (1, K, 2), scores (1, K) = peak / 255 + 0.5.
  Decoded decode(std::span<const Tensor> encoded) const override;
  std::map<std::string, std::string> label_mapping() const override;
  std::map<std::string, std::string> field_mapping() const override;

 private:
  Size heatmap_size_;
  double scale_x_, scale_y_;  // input pixels per map pixel
  int kernel_size_;
};

}  // namespace limber
