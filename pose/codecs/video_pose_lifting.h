// Lifting a sequence of 2D poses to 3D: coordinates in units of half the image's width.
#pragma once

#include "pose/codecs/lifting_ops.h"

namespace limber {

// Pavllo et al. 2019 (VideoPose3D), arXiv 1811.11742.
class VideoPoseLifting : public Codec {
 public:
  explicit VideoPoseLifting(const Config& config);
  // Of T frames: keypoint_labels (2 K, T), or (T, K, 2 or 3) without reshape_keypoints;
  // keypoints_visible (T, K). With a lifting_target: lifting_target_label (T', K or K - 1, 3) and
  // _weight, trajectory_weights (T', K); with zero_center its target_root (T', 3). With
  // normalize_camera: camera_param/f, /c (2, 1) in the same units as the key points, /w, /h.
  // Wants more["camera_param/w"] and "/h".
  TensorLists encode(const EncodeInput& input) const override;
  // {poses (N, K or K - 1, 3), root (N, 1, 3), undefined or left out} -> key points (N, K, 3).
  Decoded decode(std::span<const Tensor> encoded) const override;
  std::map<std::string, std::string> label_mapping() const override;
  std::vector<std::string> sample_keys() const override {
    return {"keypoint_labels", "target_root", "target_root_index", "camera_param/"};
  }
  std::vector<std::string> auxiliary_keys() const override {
    return {"lifting_target", "lifting_target_visible", "camera_param"};
  }

 private:
  void encode_target(const LiftingTarget& target, TensorLists& encoded) const;

  int64_t num_keypoints_;
  bool zero_center_, remove_root_, save_index_, reshape_keypoints_, concat_vis_, normalize_camera_;
  std::vector<int64_t> root_index_;
};

}  // namespace limber
