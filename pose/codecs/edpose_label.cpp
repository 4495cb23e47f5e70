#include "pose/codecs/edpose_label.h"

#include <algorithm>
#include <array>
#include <numeric>

#include "pose/codecs/heatmap_ops.h"

namespace limber {
namespace {

std::array<int64_t, 2> read_shape(const Tensor& shape) {
  check(shape.defined() && shape.numel() == 2, "EDPoseLabel: two extents are wanted");
  const Tensor f = shape.to(DType::f32);
  return {int64_t(f.data<float>()[0]), int64_t(f.data<float>()[1])};
}

}  // namespace

EDPoseLabel::EDPoseLabel(const Config& config)
    : num_select_(config.get("num_select", 100)), num_keypoints_(config.get("num_keypoints", 17)) {}

TensorLists EDPoseLabel::encode(const EncodeInput& input) const {
  const EncodePoints points = read_points(input, "EDPoseLabel");
  const auto [w, h] = read_shape(auxiliary(input, "EDPoseLabel", "img_shape"));
  const double width = double(w), height = double(h);
  TensorLists encoded;
  if (input.areas.defined()) {
    Tensor areas = input.areas.to(DType::f32).clone();
    for (float& v : areas.span<float>()) v = float(v / (width * height));
    encoded["area"] = {areas};
  }
  if (input.bboxes.defined()) {
    check(input.bboxes.shape() == Shape({points.instances, 4}), "EDPoseLabel: boxes ",
          input.bboxes.shape(), ", (", points.instances, ", 4) is wanted");
    Tensor boxes = input.bboxes.to(DType::f32).clone();
    for (float* b = boxes.data<float>(); b != boxes.data<float>() + boxes.numel(); b += 4) {
      const float x1 = b[0], y1 = b[1], x2 = b[2], y2 = b[3];
      b[0] = float((x1 + x2) / 2 / width);
      b[1] = float((y1 + y2) / 2 / height);
      b[2] = float((x2 - x1) / width);
      b[3] = float((y2 - y1) / height);
    }
    encoded["bbox"] = {boxes};
  }
  encoded["keypoints"] = {scaled(points, 1 / width, 1 / height).keypoints};
  encoded["keypoints_visible"] = {points.visible};
  return encoded;
}

Decoded EDPoseLabel::decode(std::span<const Tensor> encoded) const {
  check_count(encoded, 4, 4, "EDPoseLabel", "the input's shape, logits, boxes and key points");
  const auto [height, width] = read_shape(encoded[0]);
  const Tensor logits = encoded[1].to(DType::f32), boxes = encoded[2].to(DType::f32);
  const Tensor points = encoded[3].to(DType::f32);
  check(logits.rank() == 2 && boxes.shape() == Shape({logits.size(0), 4}) &&
            points.shape() == Shape({logits.size(0), 3 * num_keypoints_}),
        "EDPoseLabel: logits ", logits.shape(), ", boxes ", boxes.shape(), ", key points ",
        points.shape(), ", (Q, C), (Q, 4) and (Q, ", 3 * num_keypoints_, ") are wanted");
  const int64_t classes = logits.size(1), kept = std::min(num_select_, logits.numel());
  const float* logit = logits.data<float>();
  std::vector<int64_t> order(size_t(logits.numel()));
  std::iota(order.begin(), order.end(), 0);
  std::partial_sort(order.begin(), order.begin() + kept, order.end(), [&](int64_t a, int64_t b) {
    return logit[a] > logit[b] || (logit[a] == logit[b] && a < b);
  });

  Decoded decoded;
  decoded.keypoints = Tensor::empty({kept, num_keypoints_, 2});
  decoded.scores = Tensor::empty({kept, num_keypoints_});
  decoded.instance_scores = Tensor::empty({kept});
  Tensor corners = Tensor::empty({kept, 4});
  for (int64_t i = 0; i < kept; ++i) {
    const int64_t query = order[size_t(i)] / classes;
    const float score = logit[order[size_t(i)]];
    decoded.instance_scores.data<float>()[i] = score;
    std::fill_n(decoded.scores.data<float>() + i * num_keypoints_, num_keypoints_, score);
    std::copy_n(points.data<float>() + query * 3 * num_keypoints_, 2 * num_keypoints_,
                decoded.keypoints.data<float>() + i * 2 * num_keypoints_);
    const float* b = boxes.data<float>() + 4 * query;
    const float w = float(width), h = float(height);
    const float box[] = {(b[0] - b[2] / 2) * w, (b[1] - b[3] / 2) * h, (b[0] + b[2] / 2) * w,
                         (b[1] + b[3] / 2) * h};
    std::copy_n(box, 4, corners.data<float>() + 4 * i);
  }
  scale_points(decoded.keypoints, double(width), double(height));
  decoded.more["bboxes"] = {corners};
  return decoded;
}

std::map<std::string, std::string> EDPoseLabel::label_mapping() const {
  return {{"bboxes", "bbox"},
          {"areas", "area"},
          {"keypoints", "keypoints"},
          {"keypoints_visible", "keypoints_visible"}};
}

}  // namespace limber
