// SimCC in space: a key point as three distributions, over bins along x, y and the depth relative
// to the root.
#pragma once

#include <array>

#include "pose/codecs/simcc_ops.h"

namespace limber {

// RTMPose3D of MMPose's projects; the labels of one axis are those of Li et al. 2022, arXiv
// 2107.03332. The depth's bins cover [-z_range, z_range) metres around the root's depth.
class SimCC3DLabel : public Codec {
 public:
  explicit SimCC3DLabel(const Config& config);
  // Key points (N, K, 2); with more["keypoints_3d"] (N, K, 3), camera space, metres, their depth
  // too. keypoint_x_labels (N, K, W split), keypoint_y_labels (N, K, H split), keypoint_z_labels
  // (N, K, D split), keypoint_weights (N, K); weight_z (N, K) and with_z_label (N,), 0 without
  // depth. root_z (N,): the root's depth, the mean of the training data where it is not known;
  // lifting_target: keypoints_3d.
  TensorLists encode(const EncodeInput& input) const override;
  std::optional<TargetSketch> sketch(const EncodeInput& input) const override;
  // {x (N, K, W split), y (N, K, H split), z (N, K, D split)}, without N too -> key points (N, K,
  // 3), x and y in pixels, z in metres relative to the root; scores (N, K) = the smaller of the
  // maxima along x and y; more: keypoints_simcc (N, K, 3), z in units of the input, too.
  Decoded decode(std::span<const Tensor> encoded) const override;
  std::map<std::string, std::string> label_mapping() const override;
  std::vector<std::string> sample_keys() const override { return {"lifting_target", "root_z"}; }
  std::vector<std::string> auxiliary_keys() const override { return {"keypoints_3d"}; }

 private:
  Tensor depths(const EncodeInput& input, const EncodePoints& points, TensorLists& arrays) const;

  std::array<SimccAxis, 3> axes_;
  double depth_;        // of the input: z units
  double split_ratio_;  // bins per pixel
  bool normalize_, use_dark_;
  std::vector<int64_t> root_index_;
  double z_range_;  // metres
};

}  // namespace limber
