#include "pose/heads/lifting_heads.h"

#include "nn/layers.h"
#include "pose/core/keypoint_metrics.h"
#include "pose/heads/heatmap_head.h"
#include "tensor/capture.h"
#include "tensor/op.h"
#include "tensor/ops.h"

namespace limber {
namespace {

// The mean error of joints that have a weight. found, target: (..., K, 3), weight: (..., K).
double joint_error(const Tensor& found, const Tensor& target, const Tensor& weight) {
  PointMask mask;
  bool any = false;
  for (double w : to_doubles(weight)) {
    mask.push_back(w > 0);
    any = any || w > 0;
  }
  Points pred = to_points(found), truth = to_points(target);
  if (pred.K < truth.K) {  // one trajectory stands for all joints
    Points spread = truth;
    for (int64_t n = 0; n < truth.N; ++n)
      for (int64_t k = 0; k < truth.K; ++k)
        for (int64_t d = 0; d < 3; ++d) spread.at(n, k, d) = pred.at(n, 0, d);
    pred = std::move(spread);
  }
  return any ? keypoint_mpjpe(pred, truth, mask) : 0;
}

Tensor mean_joint_error(const Tensor& found, const Tensor& target, const Tensor& weight) {
  return host_number({found, target, weight},
                     [](std::span<const Tensor> in) { return joint_error(in[0], in[1], in[2]); });
}

// meta.more[name] of a sample, undefined where it has none.
Tensor meta_array(const DataSample& sample, std::string_view name) {
  const auto found = sample.meta.more.find(name);
  return found == sample.meta.more.end() ? Tensor() : found->second.at(0);
}

// What TemporalRegressionHead and TrajectoryRegressionHead differ in.
struct Words {
  const char *type, *loss_type, *loss, *error, *weights;
};

constexpr Words kPose{"TemporalRegressionHead", "MSELoss", "loss_pose3d", "mpjpe",
                      "lifting_target_weight"};
constexpr Words kTrajectory{"TrajectoryRegressionHead", "MPJPELoss", "loss_traj", "mpjpe_traj",
                            "trajectory_weights"};

class FrameHead : public Head {
 public:
  FrameHead(const Config& c, const Scope& s, const Words& words)
      : words_(words),
        joints_(c.get<int64_t>("num_joints")),
        conv_(s / "conv", {.in = c.get<int64_t>("in_channels"), .out = 3 * joints_}),
        loss_(read_loss(c, s, words.loss_type)),
        codec_(read_decoder(c)) {
    s.store().initialise_layers((s / "conv").path(), "Conv1d", "weight", init::normal(0, 0.01));
    s.store().initialise_layers((s / "conv").path(), "Conv1d", "bias", init::constant(0));
  }

  Outputs forward(const Features& features) const override { return {{"", poses(features)}}; }

  Losses loss(const Features& features, ConstBatch samples) const override {
    const Tensor found = poses(features), target = batch_labels(samples, "lifting_target_label");
    const Tensor weight = batch_labels(samples, words_.weights);
    return {
        {words_.loss,
         loss_->single({.outputs = {found}, .targets = {target}, .weight = weight, .mask = {}})},
        {words_.error, mean_joint_error(found, target, weight)}};
  }

  std::vector<Prediction> predict(const Features& features, const Features* flipped,
                                  ConstBatch samples, const TestOptions&) const override {
    check_input(flipped == nullptr, words_.type, ": no flip test");
    check(codec_ != nullptr, words_.type, ": no decoder, so no prediction: set head.decoder");
    const Tensor found = poses(features).to(DType::f32);
    std::vector<Prediction> predictions;
    for (size_t i = 0; i < samples.size(); ++i) {
      const Tensor pose = sample_of(found, i);
      const Tensor parts[] = {pose.alias(pose.shape().inserted(0, 1)),
                              meta_array(samples[i], "target_root")};
      Decoded decoded = codec_->decode(parts);
      Prediction& p = predictions.emplace_back();
      p.instances.keypoints = std::move(decoded.keypoints);
      p.instances.keypoint_scores = std::move(decoded.scores);
    }
    return predictions;
  }

  const Codec* codec() const override { return codec_.get(); }

 private:
  Tensor poses(const Features& features) const {
    const Tensor& x = features.back();
    check(x.rank() == 4 && x.size(1) == 1 && x.size(2) == 1, words_.type, ": features ", x.shape(),
          ", (N, 1, 1, C) is wanted: as many frames as the backbone sees at once");
    return reshape(conv_(x), {x.size(0), joints_, 3});
  }

  Words words_;
  int64_t joints_;
  Conv1d conv_;
  std::unique_ptr<Loss> loss_;
  std::unique_ptr<Codec> codec_;
};

class MotionRegressionHead : public Head {
 public:
  MotionRegressionHead(const Config& c, const Scope& s)
      : hidden_(s / "pre_logits" / "fc", c.get<int64_t>("in_channels", 256),
                c.get<int64_t>("embedding_size", 512)),
        fc_(s / "fc", c.get<int64_t>("embedding_size", 512), c.get<int64_t>("out_channels", 3)),
        loss_(read_loss(c, s, "MSELoss")),
        codec_(read_decoder(c)) {}

  Outputs forward(const Features& features) const override { return {{"", poses(features)}}; }

  Losses loss(const Features& features, ConstBatch samples) const override {
    const Tensor found = poses(features);
    const Tensor target = reshape(batch_labels(samples, "lifting_target_label"), found.shape());
    const Tensor weight =
        reshape(batch_labels(samples, "lifting_target_weight"), found.shape().without(-1));
    return {
        {"loss_pose3d",
         loss_->single({.outputs = {found}, .targets = {target}, .weight = weight, .mask = {}})},
        {"mpjpe", mean_joint_error(found, target, weight)}};
  }

  std::vector<Prediction> predict(const Features& features, const Features* flipped,
                                  ConstBatch samples, const TestOptions&) const override {
    check(codec_ != nullptr,
          "MotionRegressionHead: no decoder, so no prediction: set head.decoder");
    Tensor found = poses(features);
    if (flipped != nullptr)
      found = (found + mirrored_poses(poses(*flipped), flip_indices_of(samples))) * 0.5;
    found = found.to(DType::f32);
    std::vector<Prediction> predictions;
    for (size_t i = 0; i < samples.size(); ++i) {
      const Tensor parts[] = {sample_of(found, i), meta_array(samples[i], "camera_param/w"),
                              meta_array(samples[i], "camera_param/h"),
                              meta_array(samples[i], "factor")};
      Decoded decoded = codec_->decode(parts);
      // One instance, a sequence: (1, T, K, 3).
      const auto one = [](const Tensor& t) { return t.alias(t.shape().inserted(0, 1)); };
      Prediction& p = predictions.emplace_back();
      p.instances.keypoints = one(decoded.keypoints);
      p.instances.keypoint_scores = one(decoded.scores);
    }
    return predictions;
  }

  const Codec* codec() const override { return codec_.get(); }

 private:
  Tensor poses(const Features& features) const {
    const Tensor& x = features.back();
    check(x.rank() == 4, "MotionRegressionHead: features ", x.shape(), ", (N, T, K, C) is wanted");
    return fc_(tanh(hidden_(x)));
  }

  Linear hidden_, fc_;
  std::unique_ptr<Loss> loss_;
  std::unique_ptr<Codec> codec_;
};

}  // namespace

Tensor mirrored_poses(const Tensor& poses, const std::vector<int>& flip_indices) {
  check(int64_t(flip_indices.size()) == poses.size(-2), "flip test: ", flip_indices.size(),
        " flip indices for poses ", poses.shape());
  const std::vector<int64_t> wide(flip_indices.begin(), flip_indices.end());
  const Tensor swapped = index_select(poses, -2, Tensor::from(wide, {int64_t(wide.size())}));
  return concat({-slice(swapped, -1, 0, 1), slice(swapped, -1, 1, swapped.size(-1))}, -1);
}

std::unique_ptr<Head> make_temporal_regression_head(const Config& config, const Scope& scope) {
  return std::make_unique<FrameHead>(config, scope, kPose);
}

std::unique_ptr<Head> make_trajectory_regression_head(const Config& config, const Scope& scope) {
  return std::make_unique<FrameHead>(config, scope, kTrajectory);
}

std::unique_ptr<Head> make_motion_regression_head(const Config& config, const Scope& scope) {
  return std::make_unique<MotionRegressionHead>(config, scope);
}

}  // namespace limber
