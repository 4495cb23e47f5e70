#include "pose/estimators/image_estimator.h"

#include "tensor/op.h"
#include "tensor/ops.h"

namespace limber {

ImageEstimator::ImageEstimator(const Config& model, const Scope& root)
    : test_(read_test_options(model.find("test_cfg"))),
      backbone_(make_backbone(model.at("backbone"), root / "backbone")) {
  if (model.has("neck")) neck_ = make_neck(model.at("neck"), root / "neck");
  if (!model.has("head")) return;
  head_ = make_head(model.at("head"), root / "head");
  head_->train = read_train_options(model.find("train_cfg"));
}

Features ImageEstimator::features(const Tensor& inputs) const {
  if (eyes_ != nullptr) {
    const NoRecord no_record;
    return eyes_->features(inputs);
  }
  Features maps = (*backbone_)(inputs);
  return neck_ ? (*neck_)(maps) : maps;
}

Outputs ImageEstimator::forward(const Tensor& inputs) const {
  const Features maps = features(inputs);
  if (head_) return head_->forward(maps);
  Outputs out;
  for (size_t i = 0; i < maps.size(); ++i) out.emplace_back(std::to_string(i), maps[i]);
  return out;
}

Losses ImageEstimator::loss(const Tensor& inputs, ConstBatch samples) const {
  return head_for("no loss").loss(features(inputs), samples);
}

const Head& ImageEstimator::head_for(const char* what) const {
  check(head_ != nullptr, "the model has no head, so ", what);
  return *head_;
}

ScaleFeatures ImageEstimator::features_for_test(const Tensor& inputs) const {
  const auto run = [&](const Tensor& x) {
    if (plans_ == nullptr) return features(x);
    Features maps;
    for (auto& [name, map] : (*plans_)(x)) maps.push_back(std::move(map));
    return maps;
  };
  ScaleFeatures out;
  out.maps = run(inputs);
  if (test_.flip_test) out.flipped = run(flip(inputs, 2));
  return out;
}

void ImageEstimator::use_plans(DType low) {
  const auto network = [this](std::span<const Tensor> in) {
    NamedTensors maps;
    for (Tensor& map : features(in[0])) maps.emplace_back("", std::move(map));
    return maps;
  };
  plans_ = std::make_unique<PlanCache>(network, low);
}

void to_image_space(const Tensor& points, const SampleMeta& meta) {
  const int64_t step = points.size(-1);
  float* p = points.data<float>();
  for (int64_t i = 0; i < points.numel(); i += step)
    for (size_t d = 0; d < 2; ++d)
      p[i + int64_t(d)] = p[i + int64_t(d)] / float(meta.input_size[d]) * meta.input_scale[d] +
                          meta.input_center[d] - 0.5f * meta.input_scale[d];
}

}  // namespace limber
