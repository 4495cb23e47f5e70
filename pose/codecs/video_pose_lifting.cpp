#include "pose/codecs/video_pose_lifting.h"

namespace limber {
namespace {

constexpr char kName[] = "VideoPoseLifting";

}  // namespace

VideoPoseLifting::VideoPoseLifting(const Config& config)
    : num_keypoints_(config.get<int64_t>("num_keypoints")),
      zero_center_(config.get("zero_center", true)),
      remove_root_(config.get("remove_root", false)),
      save_index_(config.get("save_index", false)),
      reshape_keypoints_(config.get("reshape_keypoints", true)),
      concat_vis_(config.get("concat_vis", false)),
      normalize_camera_(config.get("normalize_camera", false)),
      root_index_(read_root_index(config, remove_root_)) {}

void VideoPoseLifting::encode_target(const LiftingTarget& target, TensorLists& encoded) const {
  Tensor label = target.pose, weight = target.weights;
  if (zero_center_) {
    const Tensor root = root_of(label, root_index_, kName);
    label = shifted(label, root, -1, kName);
    encoded["target_root"] = {root};
    if (remove_root_) {
      label = without_joint(label, root_index_[0]);
      weight = without_joint(weight.alias(weight.shape().inserted(2, 1)), root_index_[0]);
      weight = weight.alias(weight.shape().without(2));
      if (save_index_)
        encoded["target_root_index"] = {Tensor::full({}, double(root_index_[0]), DType::i64)};
    }
  }
  encoded["lifting_target_label"] = {label};
  encoded["lifting_target_weight"] = {weight};
  encoded["trajectory_weights"] = {target.weights};
}

TensorLists VideoPoseLifting::encode(const EncodeInput& input) const {
  const EncodePoints points = read_points(input, kName);
  check(points.count == num_keypoints_, kName, ": key points ", points.keypoints.shape(),
        ", num_keypoints is ", num_keypoints_);
  TensorLists encoded;
  const LiftingTarget target = read_lifting_target(input, kName);
  if (target.pose.defined()) encode_target(target, encoded);

  const float width = float(auxiliary(input, kName, "camera_param/w").item());
  const float height = float(auxiliary(input, kName, "camera_param/h").item());
  const float centre[] = {0.5f * width, 0.5f * height}, scale = 0.5f * width;
  Tensor labels = points.keypoints.clone();
  for (int64_t i = 0; i < labels.numel(); ++i)
    labels.data<float>()[i] = (labels.data<float>()[i] - centre[i % 2]) / scale;
  if (normalize_camera_) {
    const Tensor f = auxiliary(input, kName, "camera_param/f").clone();
    const Tensor c = auxiliary(input, kName, "camera_param/c").clone();
    check(f.numel() == 2 && c.numel() == 2, kName, ": camera_param f ", f.shape(), " and c ",
          c.shape(), ", two numbers each are wanted");
    for (int64_t i = 0; i < 2; ++i) {
      f.data<float>()[i] /= scale;
      c.data<float>()[i] = (c.data<float>()[i] - centre[i]) / scale;
    }
    for (const auto& [name, values] : input.more)
      if (name.starts_with("camera_param/")) encoded[name] = values;
    encoded["camera_param/f"] = {f};
    encoded["camera_param/c"] = {c};
  }
  if (concat_vis_) labels = with_visibility(labels, points.visible);
  if (reshape_keypoints_) labels = time_last(labels);
  encoded["keypoint_labels"] = {labels};
  encoded["keypoints_visible"] = {points.visible};
  return encoded;
}

Decoded VideoPoseLifting::decode(std::span<const Tensor> encoded) const {
  check_count(encoded, 1, 2, kName, "poses and a root");
  const Tensor pose = encoded[0].to(DType::f32);
  check(pose.rank() == 3 && pose.size(2) == 3, kName, ": poses ", pose.shape(),
        ", (N, K, 3) is wanted");
  return decode_lifted(pose, encoded.size() == 2 ? encoded[1] : Tensor(), remove_root_, root_index_,
                       kName);
}

std::map<std::string, std::string> VideoPoseLifting::label_mapping() const {
  return {{"lifting_target_label", "lifting_target_label"},
          {"lifting_target_weight", "lifting_target_weight"},
          {"trajectory_weights", "trajectory_weights"}};
}

}  // namespace limber
