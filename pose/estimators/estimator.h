// Estimators: backbone, neck and head with what surrounds them.
#pragma once

#include <memory>
#include <optional>

#include "pose/heads/head.h"
#include "pose/necks/neck.h"

namespace limber {

// A model inside another, whose weights start as its own config says (init_cfg, its children's).
struct SubModel {
  std::string path;  // below the whole model's scope
  Config model;
};

// One model. Inputs are preprocessed batches: (N, H, W, 3) f32 for images.
struct Estimator {
  virtual ~Estimator() = default;
  // Raw outputs of the head, as MMPose's "tensor" mode names them.
  virtual Outputs forward(const Tensor& inputs) const = 0;
  virtual Losses loss(const Tensor& inputs, ConstBatch samples) const = 0;
  // Fills pred_instances (and pred_fields) of the samples, in image space.
  virtual void predict(const Tensor& inputs, Batch samples) const = 0;
  // The same from the images at several scales, the first of them the one that the samples' meta
  // data speak of. Throws where the model takes one alone.
  virtual void predict_scales(std::span<const Tensor> inputs, Batch samples) const;
  virtual Features features(const Tensor& inputs) const = 0;  // what the head sees
  virtual Head* head() { return nullptr; }
  // predict() runs backbone and neck as plans from now on, where the estimator can, with products
  // in this type (PlanCache). The weights must not change afterwards.
  virtual void use_plans(DType low) {
    check_input(low == DType::f32, "--amp: a model of this kind is not run as plans");
  }
  virtual std::vector<SubModel> submodels() const { return {}; }
};

// By config["type"] (the tree's `model` node). `metainfo`, where the data set is known, gives the
// flip indices of samples that carry none.
std::unique_ptr<Estimator> make_estimator(const Config& model, const Scope& root);

}  // namespace limber
