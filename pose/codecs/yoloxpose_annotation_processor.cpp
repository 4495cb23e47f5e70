#include "pose/codecs/yoloxpose_annotation_processor.h"

#include <algorithm>

namespace limber {

YOLOXPoseAnnotationProcessor::YOLOXPoseAnnotationProcessor(const Config& config)
    : expand_bbox_(config.get("expand_bbox", false)) {
  if (config.has("input_size")) input_size_ = read_size(config, "input_size");
}

TensorLists YOLOXPoseAnnotationProcessor::encode(const EncodeInput& input) const {
  TensorLists encoded;
  if (has_auxiliary(input, "category_id")) {
    const Tensor ids = auxiliary(input, "YOLOXPoseAnnotationProcessor", "category_id");
    Tensor labels = Tensor::empty(ids.shape(), DType::i64);
    for (int64_t i = 0; i < ids.numel(); ++i)
      labels.data<int64_t>()[i] = int64_t(ids.data<float>()[i]) - 1;
    encoded["bbox_labels"] = {labels};
  }
  if (!expand_bbox_) return encoded;
  const EncodePoints points = read_points(input, "YOLOXPoseAnnotationProcessor");
  check(input.bboxes.defined() && input.bboxes.shape() == Shape({points.instances, 4}),
        "YOLOXPoseAnnotationProcessor: expand_bbox wants boxes (", points.instances, ", 4)");
  Tensor boxes = input.bboxes.to(DType::f32).clone();
  const float right = input_size_ ? float(input_size_->width) : 0;
  const float bottom = input_size_ ? float(input_size_->height) : 0;
  for (int64_t n = 0; n < points.instances; ++n) {
    float* box = boxes.data<float>() + 4 * n;
    for (int64_t k = 0; k < points.count; ++k) {
      if (points.visibility(n, k) <= 0) continue;
      float x = points.at(n, k)[0], y = points.at(n, k)[1];
      if (input_size_) {
        x = std::clamp(x, 0.0f, right);
        y = std::clamp(y, 0.0f, bottom);
      }
      box[0] = std::min(box[0], x);
      box[1] = std::min(box[1], y);
      box[2] = std::max(box[2], x);
      box[3] = std::max(box[3], y);
    }
  }
  encoded["bbox"] = {boxes};
  return encoded;
}

Decoded YOLOXPoseAnnotationProcessor::decode(std::span<const Tensor>) const {
  fail("YOLOXPoseAnnotationProcessor: decodes nothing; the head's outputs are coordinates");
}

std::map<std::string, std::string> YOLOXPoseAnnotationProcessor::label_mapping() const {
  return {{"bboxes", "bbox"},
          {"labels", "bbox_labels"},
          {"keypoints", "keypoints"},
          {"keypoints_visible", "keypoints_visible"},
          {"areas", "area"}};
}

}  // namespace limber
