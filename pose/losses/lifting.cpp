#include "pose/losses/lifting.h"

#include "pose/losses/loss_support.h"
#include "tensor/capture.h"
#include "tensor/ops.h"

namespace limber {
namespace {

struct BoneLoss : Loss {
  int64_t joints;
  std::vector<int64_t> children, parents;  // the ends of the bones
  bool use_target_weight;
  double loss_weight;

  explicit BoneLoss(const Config& c)
      : use_target_weight(c.get("use_target_weight", false)),
        loss_weight(c.get("loss_weight", 1.0)) {
    const auto list = c.get<std::vector<int64_t>>("joint_parents");
    joints = int64_t(list.size());
    for (int64_t k = 0; k < joints; ++k) {
      const int64_t parent = list[size_t(k)];
      check_input(parent >= 0 && parent < joints, c.path(), ".joint_parents: no joint ", parent,
                  " of ", joints);
      if (parent == k) continue;  // a root is its own parent and no bone
      children.push_back(k);
      parents.push_back(parent);
    }
    check_input(!children.empty(), c.path(), ".joint_parents: no bone");
    c.find("loss_name");
  }

  // x (N, K, ...) at these joints.
  static Tensor joints_of(const Tensor& x, const std::vector<int64_t>& at) {
    const DeviceScope where_x_lies(x.device());
    return index_select(x, 1, Tensor::from(at, {int64_t(at.size())}));
  }

  Tensor lengths(const Tensor& pose) const {  // (N, B)
    check(pose.rank() == 3 && pose.size(1) == joints, "BoneLoss: poses ", pose.shape(),
          ", joint_parents has ", joints);
    return norm(joints_of(pose, children) - joints_of(pose, parents), -1);
  }

  std::vector<Tensor> operator()(const LossInput& in) const override {
    Tensor output = lengths(in.outputs.at(0)), target = lengths(in.targets.at(0));
    Tensor weight = wanted_weight(in, use_target_weight, "BoneLoss");
    if (weight.defined()) {
      if (weight.size(1) == joints) weight = joints_of(weight, children);
      output = output * weight;
      target = target * weight;
    }
    return {mean(abs(mean(output, {0}) - mean(target, {0}))) * loss_weight};
  }
};

Tensor steps(const Tensor& poses) {  // between the frames of (N, T, K, 3)
  const int64_t frames = poses.size(1);
  return slice(poses, 1, 1, frames) - slice(poses, 1, 0, frames - 1);
}

struct MPJPEVelocityJointLoss : Loss {
  bool use_target_weight;
  double loss_weight, lambda_scale, lambda_velocity;

  explicit MPJPEVelocityJointLoss(const Config& c)
      : use_target_weight(c.get("use_target_weight", false)),
        loss_weight(c.get("loss_weight", 1.0)),
        lambda_scale(c.get("lambda_scale", 0.5)),
        lambda_velocity(c.get("lambda_3d_velocity", 20.0)) {}

  std::vector<Tensor> operator()(const LossInput& in) const override {
    const Tensor &output = in.outputs.at(0), &target = in.targets.at(0);
    check(output.rank() == 4 && output.shape() == target.shape() && output.size(1) > 1,
          "MPJPEVelocityJointLoss: output ", output.shape(), ", target ", target.shape(),
          "; (N, T, K, 3) of two frames or more is wanted");
    const Tensor weight = wanted_weight(in, use_target_weight, "MPJPEVelocityJointLoss");
    const auto error = [&](const Tensor& difference) {
      return mean(norm(weight.defined() ? difference * weight_of_rank(weight, 4) : difference, -1));
    };
    // The scale of each pose that brings it nearest to its target: <o, t> / <o, o>.
    const auto inner = [](const Tensor& a, const Tensor& b) {
      return mean(sum(a * b, {3}, true), {2}, true);
    };
    const Tensor scale = inner(target, output) / inner(output, output);
    return {(error(output - target) + error(scale * output - target) * lambda_scale +
             error(steps(output) - steps(target)) * lambda_velocity) *
            loss_weight};
  }
};

struct SemiSupervisionLoss : Loss {
  std::unique_ptr<Loss> bones;
  double projection_weight;
  int64_t warmup;
  mutable int64_t calls = 0;

  explicit SemiSupervisionLoss(const Config& c)
      : projection_weight(c.get("projection_loss_weight", 1.0)),
        warmup(c.get<int64_t>("warmup_iterations", 0)) {
    Config bone = Config::object();
    bone.set("joint_parents", c.at("joint_parents"));
    bone.set("loss_weight", Config::value(c.get("bone_loss_weight", 1.0)));
    bones = std::make_unique<BoneLoss>(bone);
  }

  std::vector<Tensor> operator()(const LossInput& in) const override {
    if (calls < warmup) refuse_capture("SemiSupervisionLoss counts its first iterations");
    if (++calls < warmup) return {};
    check(in.outputs.size() == 3 && in.targets.size() == 2,
          "SemiSupervisionLoss: ", in.outputs.size(), " outputs and ", in.targets.size(),
          " targets, not 3 and 2");
    const Tensor &labelled = in.outputs[0], &pose = in.outputs[1], &trajectory = in.outputs[2];
    const Tensor pixels = projected(pose + trajectory, in.targets[1]);
    const Tensor projection = mean(norm(pixels - in.targets[0], -1)) * projection_weight;
    return {projection,
            bones->single({.outputs = {pose}, .targets = {labelled}, .weight = {}, .mask = {}})};
  }
};

}  // namespace

Tensor projected(const Tensor& points, const Tensor& intrinsics) {
  check(points.rank() == 3 && points.size(2) == 3 && intrinsics.rank() == 2 &&
            intrinsics.size(0) == points.size(0) &&
            (intrinsics.size(1) == 4 || intrinsics.size(1) == 9),
        "projection: points ", points.shape(), ", intrinsics ", intrinsics.shape());
  const Tensor cameras = reshape(intrinsics, {intrinsics.size(0), 1, -1});
  const auto part = [&](int64_t begin, int64_t end) { return slice(cameras, 2, begin, end); };
  Tensor x = clamp(slice(points, 2, 0, 2) / slice(points, 2, 2, 3), -1, 1);
  if (cameras.size(2) == 9) {
    const Tensor radial = part(4, 7), tangential = part(7, 9);
    const Tensor r2 = sum(square(x), {2}, true);
    const Tensor powers = concat({r2, square(r2), r2 * square(r2)}, 2);
    const Tensor factor = sum(radial * powers, {2}, true) + sum(tangential * x, {2}, true) + 1;
    x = x * factor + tangential * r2;
  }
  return part(0, 2) * x + part(2, 4);
}

std::unique_ptr<Loss> make_bone(const Config& config, const Scope&) {
  return std::make_unique<BoneLoss>(config);
}

std::unique_ptr<Loss> make_mpjpe_velocity_joint(const Config& config, const Scope&) {
  return std::make_unique<MPJPEVelocityJointLoss>(config);
}

std::unique_ptr<Loss> make_semi_supervision(const Config& config, const Scope&) {
  return std::make_unique<SemiSupervisionLoss>(config);
}

}  // namespace limber
