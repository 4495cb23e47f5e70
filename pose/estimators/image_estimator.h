// What all estimators of images share: backbone, optional neck, head.
#pragma once

#include "graph/compile.h"
#include "pose/estimators/estimator.h"

namespace limber {

class ImageEstimator : public Estimator {
 public:
  ImageEstimator(const Config& model, const Scope& root);
  Outputs forward(const Tensor& inputs) const override;  // without a head, the features
  Losses loss(const Tensor& inputs, ConstBatch samples) const override;
  Features features(const Tensor& inputs) const override;
  Head* head() override { return head_.get(); }
  void use_plans(DType low) override;
  // From now on the head sees the features of `other`, without gradients, not of the own backbone.
  void see_through(const Estimator& other) { eyes_ = &other; }

 protected:
  const Head& head_for(const char* what) const;  // throws where the model has none
  // The features of the inputs and, with test_cfg.flip_test, of their mirror images.
  ScaleFeatures features_for_test(const Tensor& inputs) const;

  TestOptions test_;

 private:
  std::unique_ptr<Backbone> backbone_;
  std::unique_ptr<Neck> neck_;
  std::unique_ptr<Head> head_;
  std::unique_ptr<PlanCache> plans_;  // of features(); null: not asked for
  const Estimator* eyes_ = nullptr;
};

// Input space to image space: p / input_size * input_scale + input_center - input_scale / 2, in
// place. points: (..., 2 or more), of which the first two are x and y.
void to_image_space(const Tensor& points, const SampleMeta& meta);

}  // namespace limber
