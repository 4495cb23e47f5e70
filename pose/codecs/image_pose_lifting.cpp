#include "pose/codecs/image_pose_lifting.h"

namespace limber {
namespace {

// "key": rows [[...], ...] of K joints, or a list of one such list, -> (1, K, dims); undefined
// where absent.
Tensor read_statistics(const Config& config, std::string_view key, size_t dims) {
  if (!config.has(key)) return {};
  Config list = config.at(key);
  if (list.is_list() && list.size() == 1 && list.at(size_t(0)).is_list() &&
      list.at(size_t(0)).size() > 0 && list.at(size_t(0)).at(size_t(0)).is_list())
    list = list.at(size_t(0));
  const auto rows = list.as<std::vector<std::vector<double>>>();
  std::vector<float> values;
  for (const auto& row : rows) {
    check_input(row.size() == dims, config.path(), ".", key, ": rows of ", dims,
                " numbers are wanted");
    values.insert(values.end(), row.begin(), row.end());
  }
  return Tensor::from(values, {1, int64_t(rows.size()), int64_t(dims)});
}

// x (N, K, C), one mean and deviation (1, K, C) for all: (x - mean) / deviation, or the inverse.
Tensor standardised(const Tensor& x, const Tensor& mean, const Tensor& deviation, bool inverse) {
  check(x.shape().without(0) == mean.shape().without(0), "ImagePoseLifting: statistics ",
        mean.shape(), " for ", x.shape());
  Tensor out = x.clone();
  const int64_t each = mean.numel();
  for (int64_t i = 0; i < out.numel(); ++i) {
    float& v = out.data<float>()[i];
    const float m = mean.data<float>()[i % each], s = deviation.data<float>()[i % each];
    v = inverse ? v * s + m : (v - m) / s;
  }
  return out;
}

}  // namespace

ImagePoseLifting::ImagePoseLifting(const Config& config)
    : num_keypoints_(config.get<int64_t>("num_keypoints")),
      remove_root_(config.get("remove_root", false)),
      save_index_(config.get("save_index", false)),
      reshape_keypoints_(config.get("reshape_keypoints", true)),
      concat_vis_(config.get("concat_vis", false)),
      root_index_(read_root_index(config, remove_root_)),
      keypoints_mean_(read_statistics(config, "keypoints_mean", 2)),
      keypoints_std_(read_statistics(config, "keypoints_std", 2)),
      target_mean_(read_statistics(config, "target_mean", 3)),
      target_std_(read_statistics(config, "target_std", 3)),
      additional_keys_(config.get("additional_encode_keys", std::vector<std::string>{})) {
  check_input(keypoints_mean_.defined() == keypoints_std_.defined() &&
                  target_mean_.defined() == target_std_.defined(),
              config.path(), ": a mean and a standard deviation go together");
}

TensorLists ImagePoseLifting::encode(const EncodeInput& input) const {
  const EncodePoints points = read_points(input, "ImagePoseLifting");
  check(points.count == num_keypoints_, "ImagePoseLifting: key points ", points.keypoints.shape(),
        ", num_keypoints is ", num_keypoints_);
  TensorLists encoded;
  const LiftingTarget target = read_lifting_target(input, "ImagePoseLifting");
  if (target.pose.defined()) {
    const Tensor root = root_of(target.pose, root_index_, "ImagePoseLifting");
    Tensor label = shifted(target.pose, root, -1, "ImagePoseLifting"), weight = target.weights;
    if (remove_root_) {
      label = without_joint(label, root_index_[0]);
      weight = without_joint(weight.alias(weight.shape().inserted(2, 1)), root_index_[0]);
      weight = weight.alias(weight.shape().without(2));
      if (save_index_)
        encoded["target_root_index"] = {Tensor::full({}, double(root_index_[0]), DType::i64)};
    }
    if (target_mean_.defined()) {
      label = standardised(label, target_mean_, target_std_, false);
      encoded["target_mean"] = {target_mean_};
      encoded["target_std"] = {target_std_};
    }
    encoded["lifting_target_label"] = {label};
    encoded["lifting_target_weight"] = {weight};
    encoded["trajectory_weights"] = {target.weights};
    encoded["target_root"] = {root};
  }
  Tensor labels = points.keypoints;
  if (keypoints_mean_.defined()) {
    labels = standardised(labels, keypoints_mean_, keypoints_std_, false);
    encoded["keypoints_mean"] = {keypoints_mean_};
    encoded["keypoints_std"] = {keypoints_std_};
  }
  if (concat_vis_) labels = with_visibility(labels, points.visible);
  if (reshape_keypoints_) labels = time_last(labels);
  encoded["keypoint_labels"] = {labels};
  encoded["keypoint_labels_visible"] = {points.visible};
  return encoded;
}

Decoded ImagePoseLifting::decode(std::span<const Tensor> encoded) const {
  check_count(encoded, 1, 2, "ImagePoseLifting", "poses and a root");
  Tensor pose = encoded[0].to(DType::f32);
  check(pose.rank() == 3 && pose.size(2) == 3, "ImagePoseLifting: poses ", pose.shape(),
        ", (N, K, 3) is wanted");
  if (target_mean_.defined()) pose = standardised(pose, target_mean_, target_std_, true);
  return decode_lifted(pose, encoded.size() == 2 ? encoded[1] : Tensor(), remove_root_, root_index_,
                       "ImagePoseLifting");
}

std::map<std::string, std::string> ImagePoseLifting::label_mapping() const {
  return {{"lifting_target_label", "lifting_target_label"},
          {"lifting_target_weight", "lifting_target_weight"},
          {"trajectory_weights", "trajectory_weights"}};
}

std::vector<std::string> ImagePoseLifting::auxiliary_keys() const {
  std::vector<std::string> keys = {"lifting_target", "lifting_target_visible"};
  keys.insert(keys.end(), additional_keys_.begin(), additional_keys_.end());
  return keys;
}

}  // namespace limber
