#include "pose/losses/mse.h"

#include "tensor/ops.h"

namespace limber {
namespace {

struct KeypointMSELoss : Loss {
  bool use_target_weight, skip_empty_channel;
  double loss_weight;

  explicit KeypointMSELoss(const Config& c)
      : use_target_weight(c.get("use_target_weight", false)),
        skip_empty_channel(c.get("skip_empty_channel", false)),
        loss_weight(c.get("loss_weight", 1.0)) {}

  std::vector<Tensor> operator()(const LossInput& in) const override {
    const Tensor &output = in.outputs.at(0), &target = in.targets.at(0);
    Tensor error = square(output - target);
    const Tensor mask =
        heatmap_mask(target, use_target_weight ? in.weight : Tensor(), in.mask, skip_empty_channel);
    if (mask.defined()) error = error * mask;
    return {mean(error) * loss_weight};
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

}  // namespace limber
