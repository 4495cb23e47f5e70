#include "pose/losses/mse.h"

#include "pose/losses/loss_support.h"
#include "tensor/ops.h"

namespace limber {
namespace {

struct KeypointMSELoss : Loss {
  bool skip_empty_channel;
  double loss_weight;

  // Weights that are given count whatever use_target_weight says, as in the reference.
  explicit KeypointMSELoss(const Config& c)
      : skip_empty_channel(c.get("skip_empty_channel", false)),
        loss_weight(c.get("loss_weight", 1.0)) {
    c.find("use_target_weight");
  }

  std::vector<Tensor> operator()(const LossInput& in) const override {
    const Tensor &output = in.outputs.at(0), &target = in.targets.at(0);
    Tensor error = square(output - target);
    const Tensor mask = heatmap_mask(target, in.weight, in.mask, skip_empty_channel);
    if (mask.defined()) error = error * mask;
    return {mean(error) * loss_weight};
  }
};

struct KeypointOHKMMSELoss : Loss {
  bool use_target_weight;
  int64_t top;
  double loss_weight;

  explicit KeypointOHKMMSELoss(const Config& c)
      : use_target_weight(c.get("use_target_weight", false)),
        top(c.get<int64_t>("topk", 8)),
        loss_weight(c.get("loss_weight", 1.0)) {}

  std::vector<Tensor> operator()(const LossInput& in) const override {
    const Tensor &output = in.outputs.at(0), &target = in.targets.at(0);
    check(top <= output.size(1), "KeypointOHKMMSELoss: topk ", top, " of ", output.size(1),
          " key points");
    Tensor error = output - target;
    const Tensor weight = wanted_weight(in, use_target_weight, "KeypointOHKMMSELoss");
    if (weight.defined()) error = error * weight_of_rank(weight, 4);
    const Tensor hardest = topk(mean(square(error), {2, 3}), top).first;
    return {mean(hardest) * loss_weight};
  }
};

struct CombinedTargetMSELoss : Loss {
  bool use_target_weight;
  double loss_weight;

  explicit CombinedTargetMSELoss(const Config& c)
      : use_target_weight(c.get("use_target_weight", false)),
        loss_weight(c.get("loss_weight", 1.0)) {}

  std::vector<Tensor> operator()(const LossInput& in) const override {
    const Tensor &output = in.outputs.at(0), &target = in.targets.at(0);
    const int64_t N = output.size(0), K = output.size(1) / 3;
    check(output.size(1) == 3 * K && target.shape() == output.shape(),
          "CombinedTargetMSELoss: output ", output.shape(), ", target ", target.shape());
    const auto parts = [&](const Tensor& t) { return chunk(reshape(t, {N, K, 3, -1}), 3, 2); };
    const std::vector<Tensor> o = parts(output), t = parts(target);
    const Tensor weight = wanted_weight(in, use_target_weight, "CombinedTargetMSELoss");
    // The target map, weighted, is also the mask of the offsets.
    const Tensor spread = weight.defined() ? weight_of_rank(weight, 4) : Tensor();
    const auto weighted = [&](const Tensor& x) { return spread.defined() ? x * spread : x; };
    const Tensor mask = weighted(t[0]);
    const Tensor error =
        square(weighted(o[0]) - mask) + square(mask * (o[1] - t[1])) + square(mask * (o[2] - t[2]));
    return {mean(error) * (0.5 * loss_weight)};
  }
};

}  // namespace

Tensor heatmap_mask(const Tensor& target, const Tensor& weight, const Tensor& mask,
                    bool skip_empty_channels) {
  Tensor total = mask;
  const auto multiply = [&](const Tensor& factor) {
    total = total.defined() ? total * factor : factor;
  };
  if (weight.defined())
    multiply(weight.rank() == 2 ? reshape(weight, {weight.size(0), weight.size(1), 1, 1}) : weight);
  if (skip_empty_channels) {
    const Tensor flat = reshape(abs(target), {target.size(0), target.size(1), -1});
    multiply(reshape(is_positive(max(flat, -1)), {target.size(0), target.size(1), 1, 1}));
  }
  return total;
}

std::unique_ptr<Loss> make_keypoint_mse(const Config& config, const Scope&) {
  return std::make_unique<KeypointMSELoss>(config);
}

std::unique_ptr<Loss> make_keypoint_ohkm_mse(const Config& config, const Scope&) {
  return std::make_unique<KeypointOHKMMSELoss>(config);
}

std::unique_ptr<Loss> make_combined_target_mse(const Config& config, const Scope&) {
  return std::make_unique<CombinedTargetMSELoss>(config);
}

}  // namespace limber
