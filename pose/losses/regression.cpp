#include "pose/losses/regression.h"

#include "pose/losses/loss_support.h"
#include "tensor/ops.h"

namespace limber {
namespace {

struct SmoothL1Loss : Loss {
  bool use_target_weight;
  double loss_weight;

  explicit SmoothL1Loss(const Config& c)
      : use_target_weight(c.get("use_target_weight", false)),
        loss_weight(c.get("loss_weight", 1.0)) {}

  std::vector<Tensor> operator()(const LossInput& in) const override {
    Tensor output = in.outputs.at(0), target = in.targets.at(0);
    const Tensor weight = wanted_weight(in, use_target_weight, "SmoothL1Loss");
    if (weight.defined()) {
      const Tensor spread = weight_of_rank(weight, output.rank());
      output = output * spread;
      target = target * spread;
    }
    return {mean(smooth_l1(output, target)) * loss_weight};
  }
};

}  // namespace

Tensor smooth_l1(const Tensor& output, const Tensor& target, double beta) {
  // With m = min(d, beta): m (d - m / 2) / beta is both branches in one.
  const Tensor d = abs(output - target), m = clamp(d, 0, beta);
  return m * (d - m * 0.5) / beta;
}

std::unique_ptr<Loss> make_smooth_l1(const Config& config, const Scope&) {
  return std::make_unique<SmoothL1Loss>(config);
}

}  // namespace limber
