// Top-down estimation: one crop of one person in, that person's key points out.
#pragma once

#include "pose/estimators/image_estimator.h"

namespace limber {

class TopdownPoseEstimator : public ImageEstimator {
 public:
  TopdownPoseEstimator(const Config& model, const Scope& root);
  void predict(const Tensor& inputs, Batch samples) const override;

 protected:
  // Moves what the head found in the crop to where the estimator's user wants it.
  virtual void place(Instances& found, const DataSample& sample) const;

 private:
  std::vector<int> output_keypoints_;  // empty: all
};

std::unique_ptr<Estimator> make_topdown(const Config& model, const Scope& root);

// The instances' arrays of K key points reduced to these.
void select_keypoints(Instances& instances, const std::vector<int>& indices);

}  // namespace limber
