// MotionBERT: 2D poses in units of half the image's width, 3D poses projected into the image with a
// depth of the same scale.
#pragma once

#include "pose/codecs/lifting_ops.h"

namespace limber {

// Zhu et al. 2023, arXiv 2210.06551.
class MotionBERTLabel : public Codec {
 public:
  explicit MotionBERTLabel(const Config& config);
  // Of T frames: keypoint_labels (T, K, 2 or 3), keypoint_labels_visible (T, K); with a
  // lifting_target (T, K, 3), camera space, metres: lifting_target_label (T, K, 3), root-relative,
  // also as lifting_target, lifting_target_weight, also as lifting_target_visible (T, K), and
  // factor (T, 1), metres per 1000 pixels at the root. Wants more["camera_param/w"] and "/h";
  // with "/f" and "/c" the target is projected, without them it is taken as projected already. A
  // more["factor"] (T,) takes the place of the projection's own.
  TensorLists encode(const EncodeInput& input) const override;
  // {poses (N, K, 3); width (N), height (N), factor (N, 1), each undefined or left out} -> key
  // points (N, K, 3), root-relative, divided by 1000.
  Decoded decode(std::span<const Tensor> encoded) const override;
  std::map<std::string, std::string> label_mapping() const override;
  std::vector<std::string> sample_keys() const override {
    return {"lifting_target", "lifting_target_visible", "factor"};
  }
  std::vector<std::string> auxiliary_keys() const override {
    return {"lifting_target", "lifting_target_visible", "camera_param", "factor"};
  }

 private:
  void encode_target(const EncodeInput& input, const LiftingTarget& target,
                     TensorLists& encoded) const;

  int64_t num_keypoints_;
  bool concat_vis_, root_relative_, test_mode_;
  std::vector<int64_t> root_index_;
};

}  // namespace limber
