// Top-down estimation: one crop of one person in, that person's key points out.
#pragma once

#include "pose/estimators/estimator.h"

namespace limber {

class TopdownPoseEstimator : public Estimator {
 public:
  TopdownPoseEstimator(const Config& model, const Scope& root);
  Outputs forward(const Tensor& inputs) const override;
  Losses loss(const Tensor& inputs, ConstBatch samples) const override;
  void predict(const Tensor& inputs, Batch samples) const override;
  Features features(const Tensor& inputs) const override;
  Head* head() override { return head_.get(); }

 private:
  std::unique_ptr<Backbone> backbone_;
  std::unique_ptr<Neck> neck_;
  std::unique_ptr<Head> head_;
  TestOptions test_;
  std::vector<int> output_keypoints_;  // empty: all
};

std::unique_ptr<Estimator> make_topdown(const Config& model, const Scope& root);

// Input space to image space: p / input_size * input_scale + input_center - input_scale / 2, in
// place. keypoints: (N, K, 2 or more), of which the first two are x and y.
void to_image_space(const Tensor& keypoints, const SampleMeta& meta);

// The instances' arrays of K key points reduced to these.
void select_keypoints(Instances& instances, const std::vector<int>& indices);

}  // namespace limber
