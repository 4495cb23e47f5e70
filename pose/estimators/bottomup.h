// Bottom-up and one-stage estimation: a whole image in, the key points of everybody on it out.
#pragma once

#include "pose/estimators/image_estimator.h"

namespace limber {

// Heads find the people themselves: their predictions need no boxes, and may come with boxes
// (input space) and box scores of their own. test_cfg: flip_test, multiscale_test (the images come
// at several scales: BottomupResize.aug_scales), and what the head reads.
class BottomupPoseEstimator : public ImageEstimator {
 public:
  BottomupPoseEstimator(const Config& model, const Scope& root);
  void predict(const Tensor& inputs, Batch samples) const override;
  void predict_scales(std::span<const Tensor> inputs, Batch samples) const override;

 private:
  bool multiscale_;
};

std::unique_ptr<Estimator> make_bottomup(const Config& model, const Scope& root);

}  // namespace limber
