// UDP's heat maps: unbiased coordinates, with plain Gaussians or with a disk and offsets.
#pragma once

#include "pose/codecs/codec_support.h"

namespace limber {

// Huang et al. 2020, arXiv 1911.07524.
class UDPHeatmap : public Codec {
 public:
  explicit UDPHeatmap(const Config& config);
  // heatmaps (K, H, W), with combined targets (3 K, H, W) as class, x and y offset of each key
  // point; keypoint_weights (1, K).
  TensorLists encode(const EncodeInput& input) const override;
  // Of Gaussians alone.
  std::optional<TargetSketch> sketch(const EncodeInput& input) const override;
  // {heatmaps as encode() makes them} -> key points (1, K, 2), scores (1, K). The reference
  // multiplies by the input's size where encoding divides by size - 1; so does this.
  Decoded decode(std::span<const Tensor> encoded) const override;
  std::map<std::string, std::string> label_mapping() const override;
  std::map<std::string, std::string> field_mapping() const override;

 private:
  EncodePoints points_on_map(const EncodeInput& input) const;
  Decoded decode_combined(const Tensor& maps) const;

  Size input_size_, heatmap_size_;
  bool combined_;
  double sigma_;          // map pixels
  double radius_factor_;  // of the disk, in units of the map's longer side
  int blur_kernel_size_;
};

}  // namespace limber
