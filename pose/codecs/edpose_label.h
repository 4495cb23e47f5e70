// ED-Pose: boxes and key points in units of the image's size, for a set-predicting transformer.
#pragma once

#include "pose/codecs/codec_support.h"

namespace limber {

// Yang et al. 2023, arXiv 2302.01593.
class EDPoseLabel : public Codec {
 public:
  explicit EDPoseLabel(const Config& config);
  // keypoints (N, K, 2), keypoints_visible (N, K); where the sample has them: area (N,) and bbox
  // (N, 4) as centre and size. Wants more["img_shape"] = (width, height).
  TensorLists encode(const EncodeInput& input) const override;
  // {input shape (height, width), logits (Q, C), boxes (Q, 4) as centre and size, key points
  // (Q, 3 K) as all x, y, then all visibilities} -> the num_select entries of largest logit: key
  // points (num_select, K, 2), scores (num_select, K) and instance_scores = that logit,
  // more["bboxes"] (num_select, 4) as corners.
  Decoded decode(std::span<const Tensor> encoded) const override;
  std::map<std::string, std::string> label_mapping() const override;
  std::vector<std::string> auxiliary_keys() const override {
    return {"area", "bboxes", "img_shape"};
  }

 private:
  int64_t num_select_, num_keypoints_;
};

}  // namespace limber
