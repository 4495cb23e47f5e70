#include "pose/estimators/bottomup.h"

#include "tensor/op.h"
#include "tensor/ops.h"

namespace limber {
namespace {

// Predicted instances, so far in input space, into the sample.
void hand_over(Prediction& prediction, DataSample& sample) {
  Instances& found = prediction.instances;
  to_image_space(found.keypoints, sample.meta);
  if (found.bboxes.defined()) {
    found.bboxes = found.bboxes.clone();
    to_image_space(found.bboxes.alias({found.bboxes.size(0), 2, 2}), sample.meta);
  }
  if (!found.keypoints_visible.defined()) found.keypoints_visible = found.keypoint_scores;
  sample.pred_instances = std::move(found);
  sample.pred_fields = std::move(prediction.fields);
}

}  // namespace

BottomupPoseEstimator::BottomupPoseEstimator(const Config& model, const Scope& root)
    : ImageEstimator(model, root) {
  model.find("use_syncbn");  // one process: batch norms see the whole batch anyway
  const Config test = model.find("test_cfg");
  multiscale_ = !test.is_null() && test.get("multiscale_test", false);
  check_input(!multiscale_ || head() == nullptr || head()->predicts_scales(), test.path(),
              ".multiscale_test: ", model.at("head").type(), " predicts at one scale only");
}

void BottomupPoseEstimator::predict(const Tensor& inputs, Batch samples) const {
  predict_scales({&inputs, 1}, samples);
}

void BottomupPoseEstimator::predict_scales(std::span<const Tensor> inputs, Batch samples) const {
  check_input((inputs.size() > 1) == multiscale_, "test_cfg.multiscale_test is ",
              multiscale_ ? "true" : "false", ", but the images come at ", inputs.size(),
              " scales: see BottomupResize.aug_scales");
  const NoRecord no_record;
  const Head& head = head_for("it predicts nothing");
  std::vector<ScaleFeatures> scales;
  for (const Tensor& input : inputs) scales.push_back(features_for_test(input));
  const std::vector<int64_t> frame{inputs[0].size(1), inputs[0].size(2)};
  for (DataSample& sample : samples) sample.meta.more["batch_shape"] = {Tensor::from(frame, {2})};
  std::vector<Prediction> predictions = head.predict_scales(scales, samples, test_);
  for (size_t i = 0; i < samples.size(); ++i) hand_over(predictions[i], samples[i]);
}

std::unique_ptr<Estimator> make_bottomup(const Config& model, const Scope& root) {
  return std::make_unique<BottomupPoseEstimator>(model, root);
}

}  // namespace limber
