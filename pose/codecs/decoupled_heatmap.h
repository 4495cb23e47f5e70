// CID's targets: maps of all key points and roots together, and maps of each person alone.
#pragma once

#include "pose/codecs/instance_ops.h"

namespace limber {

// Wang and Zhang 2022, Contextual Instance Decoupling.
class DecoupledHeatmap : public Codec {
 public:
  explicit DecoupledHeatmap(const Config& config);
  // With M <= encode_max_instances people drawn from the N whose root is on the map: heatmaps
  // (K + 1, H, W), roots last; instance_heatmaps (M K, H, W); keypoint_weights (M, K);
  // instance_coords (M, 2) i32, a pixel of the 3 x 3 around the root. Boxes (N, 4) or corners
  // (N, 8) or (N, 4, 2) set the Gaussians' widths; without, the visible key points' own box does.
  // Draws from input.random.
  TensorLists encode(const EncodeInput& input) const override;
  // {instance_heatmaps (M K, h, w) or (M, K, h, w), of any size, instance_scores (M, 1)} -> key
  // points (M, K, 2), scores (M, K).
  Decoded decode(std::span<const Tensor> encoded) const override;
  std::map<std::string, std::string> label_mapping() const override;
  std::map<std::string, std::string> field_mapping() const override;
  std::vector<std::string> auxiliary_keys() const override { return {"bbox"}; }

 private:
  std::vector<double> instance_sigmas(const EncodeInput& input, const EncodePoints& points) const;

  Size heatmap_size_;
  double scale_x_, scale_y_;  // input pixels per map pixel
  RootType root_type_;
  double min_overlap_;
  int max_instances_;
};

}  // namespace limber
