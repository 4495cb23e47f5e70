#include "pose/codecs/motionbert_label.h"

namespace limber {
namespace {

constexpr char kName[] = "MotionBERTLabel";

struct Projection {
  Tensor poses;    // (T, K, 3): x, y in 1000 pixels, z relative to the root in the same scale
  Tensor factors;  // (T,): metres per 1000 pixels at the root
};

// The pinhole camera: x f / z + c. A box two metres wide at the root gives the scale.
Projection project(const EncodeInput& input, const Tensor& poses, int64_t root_index) {
  const Tensor f = auxiliary(input, kName, "camera_param/f");
  const Tensor c = auxiliary(input, kName, "camera_param/c");
  check(f.numel() == 2 && c.numel() == 2, kName, ": camera_param f ", f.shape(), " and c ",
        c.shape(), ", two numbers each are wanted");
  const double fx = f.data<float>()[0] / 1000.0, fy = f.data<float>()[1] / 1000.0;
  const double cx = c.data<float>()[0] / 1000.0, cy = c.data<float>()[1] / 1000.0;
  const int64_t frames = poses.size(0), joints = poses.size(1);
  Projection out{Tensor::empty(poses.shape()), Tensor::empty({frames})};
  for (int64_t t = 0; t < frames; ++t) {
    const float* pose = poses.data<float>() + t * joints * 3;
    const double root_x = pose[root_index * 3], root_z = pose[root_index * 3 + 2];
    const double left = (root_x - 1) * fx / root_z + cx, right = (root_x + 1) * fx / root_z + cx;
    const double ratio = (right - left + 0.001) / 2;
    out.factors.data<float>()[t] = float(1 / ratio);
    for (int64_t k = 0; k < joints; ++k) {
      const float* p = pose + 3 * k;
      float* q = out.poses.data<float>() + (t * joints + k) * 3;
      q[0] = float(p[0] * fx / p[2] + cx);
      q[1] = float(p[1] * fy / p[2] + cy);
      q[2] = float(ratio * (p[2] - root_z));
    }
  }
  return out;
}

}  // namespace

MotionBERTLabel::MotionBERTLabel(const Config& config)
    : num_keypoints_(config.get<int64_t>("num_keypoints")),
      concat_vis_(config.get("concat_vis", false)),
      root_relative_(config.get("rootrel", false)),
      root_index_(read_root_index(config, config.get("remove_root", false))) {
  // The root stays in these poses, whatever remove_root and save_index say.
  config.get("save_index", false);
  const auto mode = config.get<std::string>("mode", "test");
  check_choice(config, "mode", mode, {"train", "test"});
  test_mode_ = mode == "test";
  check_input(root_index_.size() == 1, config.path(), ".root_index: a single joint is wanted");
}

void MotionBERTLabel::encode_target(const EncodeInput& input, const LiftingTarget& target,
                                    TensorLists& encoded) const {
  const int64_t frames = target.pose.size(0), joints = target.pose.size(1);
  check(root_index_[0] < joints, kName, ": root_index ", root_index_[0], " of ", joints, " joints");
  Projection image;
  if (has_auxiliary(input, "camera_param/f") && has_auxiliary(input, "camera_param/c")) {
    image = project(input, target.pose, root_index_[0]);
  } else {
    image = {target.pose.clone(), Tensor::full({frames}, 4)};
  }
  if (has_auxiliary(input, "factor")) {
    const Tensor factor = auxiliary(input, kName, "factor");
    check(factor.numel() == frames, kName, ": factor ", factor.shape(), " for ", frames, " frames");
    image.factors = factor.alias({frames});
  }
  const float width = float(auxiliary(input, kName, "camera_param/w").item()) / 1000;
  Tensor label = shifted(image.poses, root_of(image.poses, root_index_, kName), -1, kName);
  // Training: units of half the image's width. Test: metres.
  for (int64_t i = 0; i < label.numel(); ++i)
    label.data<float>()[i] *=
        test_mode_ ? image.factors.data<float>()[i / (joints * 3)] : 2 / width;
  encoded["lifting_target_label"] = encoded["lifting_target"] = {label};
  encoded["lifting_target_weight"] = encoded["lifting_target_visible"] = {target.weights};
  encoded["factor"] = {image.factors.alias({frames, 1})};
}

TensorLists MotionBERTLabel::encode(const EncodeInput& input) const {
  const EncodePoints points = read_points(input, kName);
  check(points.count == num_keypoints_, kName, ": key points ", points.keypoints.shape(),
        ", num_keypoints is ", num_keypoints_);
  TensorLists encoded;
  const LiftingTarget target = read_lifting_target(input, kName);
  if (target.pose.defined()) encode_target(input, target, encoded);

  const float width = float(auxiliary(input, kName, "camera_param/w").item());
  const float height = float(auxiliary(input, kName, "camera_param/h").item());
  const float offset[] = {1, height / width};
  Tensor labels = points.keypoints.clone();
  for (int64_t i = 0; i < labels.numel(); ++i)
    labels.data<float>()[i] = labels.data<float>()[i] / width * 2 - offset[i % 2];
  encoded["keypoint_labels"] = {concat_vis_ ? with_visibility(labels, points.visible) : labels};
  encoded["keypoint_labels_visible"] = {points.visible};
  return encoded;
}

Decoded MotionBERTLabel::decode(std::span<const Tensor> encoded) const {
  check_count(encoded, 1, 4, kName, "poses, width, height and factor");
  Tensor poses = encoded[0].to(DType::f32).clone();
  check(poses.rank() == 3 && poses.size(2) == 3 && root_index_[0] < poses.size(1), kName,
        ": poses ", poses.shape(), ", (N, K, 3) is wanted");
  const int64_t frames = poses.size(0), each = poses.size(1) * 3;
  // Option `i`, one number per frame or one for all.
  const auto option = [&](size_t i, const char* name) {
    if (encoded.size() <= i || !encoded[i].defined()) return Tensor();
    const Tensor t = encoded[i].to(DType::f32);
    check(t.numel() == frames || t.numel() == 1, kName, ": ", name, " ", t.shape(), " for ", frames,
          " poses");
    return t.numel() == frames ? t : Tensor::full({frames}, t.item());
  };
  const Tensor width = option(1, "width"), height = option(2, "height");
  const Tensor factor = option(3, "factor");
  check(width.defined() == height.defined(), kName, ": width and height go together");
  for (int64_t t = 0; t < frames; ++t) {
    float* pose = poses.data<float>() + t * each;
    float* root = pose + 3 * root_index_[0];
    if (root_relative_) root[0] = root[1] = root[2] = 0;
    // To pixels; the shift to the image's centre cancels where the root is subtracted.
    float scale = 1;
    if (width.defined()) scale *= width.data<float>()[t] / 2;
    if (factor.defined()) scale *= factor.data<float>()[t];
    const float origin[] = {root[0], root[1], root[2]};
    for (int64_t i = 0; i < each; ++i) pose[i] = (pose[i] - origin[i % 3]) * scale / 1000;
  }
  Decoded decoded;
  decoded.keypoints = poses;
  decoded.scores = Tensor::full(poses.shape().without(2), 1);
  return decoded;
}

std::map<std::string, std::string> MotionBERTLabel::label_mapping() const {
  return {{"keypoint_labels", "keypoint_labels"},
          {"lifting_target_label", "lifting_target_label"},
          {"lifting_target_weight", "lifting_target_weight"}};
}

}  // namespace limber
