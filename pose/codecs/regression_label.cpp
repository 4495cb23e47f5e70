#include "pose/codecs/regression_label.h"

namespace limber {

RegressionLabel::RegressionLabel(const Config& config)
    : input_size_(read_size(config, "input_size")) {}

TensorLists RegressionLabel::encode(const EncodeInput& input) const {
  const EncodePoints points = read_points(input, "RegressionLabel");
  const float width = float(input_size_.width), height = float(input_size_.height);
  Tensor labels = Tensor::empty(points.keypoints.shape());
  Tensor weights = Tensor::empty(points.visible.shape());
  for (int64_t i = 0; i < weights.numel(); ++i) {
    const float* p = points.keypoints.data<float>() + 2 * i;
    const bool inside = p[0] >= 0 && p[0] <= width - 1 && p[1] >= 0 && p[1] <= height - 1;
    weights.data<float>()[i] = inside && points.visible.data<float>()[i] > 0.5f ? 1.0f : 0.0f;
    labels.data<float>()[2 * i] = p[0] / width;
    labels.data<float>()[2 * i + 1] = p[1] / height;
  }
  return {{"keypoint_labels", {labels}}, {"keypoint_weights", {weights}}};
}

Decoded RegressionLabel::decode(std::span<const Tensor> encoded) const {
  check_count(encoded, 1, 1, "RegressionLabel", "coordinates");
  check(encoded[0].defined(), "RegressionLabel: decode without coordinates");
  const Shape& shape = encoded[0].shape();
  const int64_t fields = shape.rank() > 0 ? shape[-1] : 0;
  check((shape.rank() == 3 || shape.rank() == 2) && (fields == 2 || fields == 4),
        "RegressionLabel: coordinates ", shape, ", (N, K, 2) or (N, K, 4) is wanted");
  const Tensor values = encoded[0].to(DType::f32);
  const int64_t count = shape[-2], instances = values.numel() / (count * fields);
  Decoded decoded;
  decoded.keypoints = Tensor::empty({instances, count, 2});
  decoded.scores = Tensor::full({instances, count}, 1);
  for (int64_t i = 0; i < instances * count; ++i) {
    const float* v = values.data<float>() + i * fields;
    decoded.keypoints.data<float>()[2 * i] = v[0] * float(input_size_.width);
    decoded.keypoints.data<float>()[2 * i + 1] = v[1] * float(input_size_.height);
    if (fields == 4) decoded.scores.data<float>()[i] = 1 - 0.5f * (v[2] + v[3]);
  }
  return decoded;
}

std::map<std::string, std::string> RegressionLabel::label_mapping() const {
  return {{"keypoint_labels", "keypoint_labels"}, {"keypoint_weights", "keypoint_weights"}};
}

}  // namespace limber
