#include "pose/estimators/topdown.h"

#include "tensor/op.h"
#include "tensor/ops.h"

namespace limber {

TopdownPoseEstimator::TopdownPoseEstimator(const Config& model, const Scope& root)
    : backbone_(make_backbone(model.at("backbone"), root / "backbone")) {
  if (model.has("neck")) neck_ = make_neck(model.at("neck"), root / "neck");
  if (model.has("head")) {
    head_ = make_head(model.at("head"), root / "head");
    head_->train = read_train_options(model.find("train_cfg"));
  }
  const Config test = model.find("test_cfg");
  test_ = read_test_options(test);
  if (test.has("output_keypoint_indices"))
    output_keypoints_ = test.get<std::vector<int>>("output_keypoint_indices");
}

Features TopdownPoseEstimator::features(const Tensor& inputs) const {
  Features maps = (*backbone_)(inputs);
  return neck_ ? (*neck_)(maps) : maps;
}

Outputs TopdownPoseEstimator::forward(const Tensor& inputs) const {
  const Features maps = features(inputs);
  if (head_) return head_->forward(maps);
  Outputs out;
  for (size_t i = 0; i < maps.size(); ++i) out.emplace_back(std::to_string(i), maps[i]);
  return out;
}

Losses TopdownPoseEstimator::loss(const Tensor& inputs, ConstBatch samples) const {
  check(head_ != nullptr, "the model has no head, so no loss");
  return head_->loss(features(inputs), samples);
}

void TopdownPoseEstimator::predict(const Tensor& inputs, Batch samples) const {
  check(head_ != nullptr, "the model has no head, so it predicts nothing");
  const NoRecord no_record;
  const Features maps = features(inputs);
  Features flipped;
  if (test_.flip_test) flipped = features(flip(inputs, 2));
  std::vector<Prediction> predictions =
      head_->predict(maps, test_.flip_test ? &flipped : nullptr, samples, test_);
  for (size_t i = 0; i < samples.size(); ++i) {
    DataSample& sample = samples[i];
    Instances& found = predictions[i].instances;
    to_image_space(found.keypoints, sample.meta);
    if (!output_keypoints_.empty()) select_keypoints(found, output_keypoints_);
    found.bboxes = sample.gt_instances.bboxes;
    found.bbox_scores = sample.gt_instances.bbox_scores;
    sample.pred_instances = std::move(found);
    sample.pred_fields = std::move(predictions[i].fields);
  }
}

void to_image_space(const Tensor& keypoints, const SampleMeta& meta) {
  const int64_t step = keypoints.size(-1);
  float* p = keypoints.data<float>();
  for (int64_t i = 0; i < keypoints.numel(); i += step)
    for (size_t d = 0; d < 2; ++d)
      p[i + int64_t(d)] = p[i + int64_t(d)] / float(meta.input_size[d]) * meta.input_scale[d] +
                          meta.input_center[d] - 0.5f * meta.input_scale[d];
}

void select_keypoints(Instances& instances, const std::vector<int>& indices) {
  const std::vector<int64_t> wide(indices.begin(), indices.end());
  const Tensor at = Tensor::from(wide, {int64_t(wide.size())});
  for (Tensor* t : {&instances.keypoints, &instances.keypoint_scores, &instances.keypoints_visible})
    if (t->defined()) *t = index_select(*t, 1, at);
}

std::unique_ptr<Estimator> make_topdown(const Config& model, const Scope& root) {
  return std::make_unique<TopdownPoseEstimator>(model, root);
}

}  // namespace limber
