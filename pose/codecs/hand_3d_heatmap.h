// Heat maps over x, y and depth for two interacting hands, with the distance between their wrists
// and which hands there are.
#pragma once

#include "pose/codecs/codec_support.h"

namespace limber {

// InterNet, Moon et al. 2020, arXiv 2008.09309.
class Hand3DHeatmap : public Codec {
 public:
  explicit Hand3DHeatmap(const Config& config);
  // One sample of K joints (1, K, 3), x and y in pixels, depth in millimetres relative to the
  // wrist; K' = joint_indices of them. heatmaps (K' D, H, W), keypoint_weights (1, K'); root_depth
  // and root_depth_weight (1,), in bins; type (1, 2), type_weight (1,). Wants rel_root_depth,
  // rel_root_valid, hand_type, hand_type_valid, with use_different_joint_weights
  // dataset_keypoint_weights (K,).
  TensorLists encode(const EncodeInput& input) const override;
  // {heatmaps (K', D, H, W), root_depth (1,), hand_type (1, 2) logits} -> key points (1, K', 3) as
  // encode() takes them, scores; more: rel_root_depth (1,), millimetres, hand_type (1, 2) i64.
  Decoded decode(std::span<const Tensor> encoded) const override;
  std::map<std::string, std::string> label_mapping() const override;
  std::map<std::string, std::string> field_mapping() const override;
  std::vector<std::string> auxiliary_keys() const override {
    return {"dataset_keypoint_weights", "rel_root_depth", "rel_root_valid", "hand_type",
            "hand_type_valid",          "focal",          "principal_pt"};
  }

 private:
  struct Box {
    int64_t width, height, depth;
  };
  void draw(float* map, const float* centre) const;

  Size image_size_;
  Box map_size_;
  double depth_bound_, root_depth_bound_;  // millimetres that all bins cover
  int64_t root_map_size_, root_map_limit_;
  double sigma_, max_bound_;
  bool joint_weights_;
  std::vector<int64_t> joint_indices_;  // empty: all
};

}  // namespace limber
