#include "pose/estimators/topdown.h"

#include "tensor/op.h"
#include "tensor/ops.h"

namespace limber {

TopdownPoseEstimator::TopdownPoseEstimator(const Config& model, const Scope& root)
    : ImageEstimator(model, root) {
  const Config test = model.find("test_cfg");
  if (test.has("output_keypoint_indices"))
    output_keypoints_ = test.get<std::vector<int>>("output_keypoint_indices");
}

void TopdownPoseEstimator::predict(const Tensor& inputs, Batch samples) const {
  const NoRecord no_record;
  const Head& head = head_for("it predicts nothing");
  const ScaleFeatures seen = features_for_test(inputs);
  std::vector<Prediction> predictions =
      head.predict(seen.maps, test_.flip_test ? &seen.flipped : nullptr, samples, test_);
  const DeviceScope on_host({});  // where the decoded points are
  for (size_t i = 0; i < samples.size(); ++i) {
    DataSample& sample = samples[i];
    Instances& found = predictions[i].instances;
    place(found, sample);
    if (!output_keypoints_.empty()) select_keypoints(found, output_keypoints_);
    found.bboxes = sample.gt_instances.bboxes;
    found.bbox_scores = sample.gt_instances.bbox_scores;
    sample.pred_instances = std::move(found);
    sample.pred_fields = std::move(predictions[i].fields);
  }
}

void TopdownPoseEstimator::place(Instances& found, const DataSample& sample) const {
  to_image_space(found.keypoints, sample.meta);
}

void select_keypoints(Instances& instances, const std::vector<int>& indices) {
  const std::vector<int64_t> wide(indices.begin(), indices.end());
  const Tensor at = Tensor::from(wide, {int64_t(wide.size())});
  for (Tensor* t : {&instances.keypoints, &instances.keypoint_scores, &instances.keypoints_visible})
    if (t->defined()) *t = index_select(*t, 1, at);
  for (const char* name : {"keypoints_simcc", "transformed_keypoints"})
    if (const auto found = instances.more.find(name); found != instances.more.end())
      found->second = {index_select(found->second.at(0), 1, at)};
}

std::unique_ptr<Estimator> make_topdown(const Config& model, const Scope& root) {
  return std::make_unique<TopdownPoseEstimator>(model, root);
}

}  // namespace limber
