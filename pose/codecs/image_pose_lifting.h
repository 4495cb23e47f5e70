// Lifting the 2D pose of one image to 3D: standardised coordinates, root-relative targets.
#pragma once

#include "pose/codecs/lifting_ops.h"

namespace limber {

// Martinez et al. 2017, arXiv 1705.03098.
class ImagePoseLifting : public Codec {
 public:
  explicit ImagePoseLifting(const Config& config);
  // keypoint_labels (2 K, N), or (N, K, 2 or 3) without reshape_keypoints; keypoint_labels_visible
  // (N, K). With a lifting_target: lifting_target_label (T, K or K - 1, 3) and _weight,
  // trajectory_weights (T, K), target_root (T, 3). The statistics that were applied come along.
  TensorLists encode(const EncodeInput& input) const override;
  // {poses (N, K or K - 1, 3), root (N, 3), undefined or left out} -> key points (N, K, 3).
  Decoded decode(std::span<const Tensor> encoded) const override;
  std::map<std::string, std::string> label_mapping() const override;
  std::vector<std::string> sample_keys() const override {
    return {"keypoint_labels", "target_root", "target_root_index", "target_mean", "target_std"};
  }
  std::vector<std::string> auxiliary_keys() const override;

 private:
  int64_t num_keypoints_;
  bool remove_root_, save_index_, reshape_keypoints_, concat_vis_;
  std::vector<int64_t> root_index_;
  // (1, K, C), undefined where not configured.
  Tensor keypoints_mean_, keypoints_std_, target_mean_, target_std_;
  std::vector<std::string> additional_keys_;
};

}  // namespace limber
