#include "pose/losses/classification.h"

#include "pose/losses/loss_support.h"
#include "tensor/ops.h"

namespace limber {
namespace {

// log p, but -100 at 0, where PyTorch bounds it; no gradient there.
Tensor bounded_log(const Tensor& p) {
  const Tensor finite = log(clamp(p, 1e-37, 1e37));
  return where(is_positive(p), finite, Tensor::full(p.shape(), -100, p.dtype()));
}

struct BCELoss : Loss {
  bool use_target_weight, use_sigmoid;
  double loss_weight;
  Reduction reduction;

  explicit BCELoss(const Config& c)
      : use_target_weight(c.get("use_target_weight", false)),
        use_sigmoid(c.get("use_sigmoid", false)),
        loss_weight(c.get("loss_weight", 1.0)),
        reduction(read_reduction(c)) {}

  std::vector<Tensor> operator()(const LossInput& in) const override {
    const Tensor &x = in.outputs.at(0), &t = in.targets.at(0);
    Tensor losses =
        use_sigmoid ? -(t * bounded_log(x) + (1 - t) * bounded_log(1 - x)) : softplus(x) - x * t;
    const Tensor weight = wanted_weight(in, use_target_weight, "BCELoss");
    if (weight.defined()) losses = losses * weight_of_rank(weight, losses.rank());
    return {reduced(losses, reduction) * loss_weight};
  }
};

struct VariFocalLoss : Loss {
  bool use_target_weight;
  double loss_weight, alpha, gamma;
  Reduction reduction;

  explicit VariFocalLoss(const Config& c)
      : use_target_weight(c.get("use_target_weight", false)),
        loss_weight(c.get("loss_weight", 1.0)),
        alpha(c.get("alpha", 0.75)),
        gamma(c.get("gamma", 2.0)),
        reduction(read_reduction(c)) {}

  std::vector<Tensor> operator()(const LossInput& in) const override {
    const Tensor &x = in.outputs.at(0), &t = in.targets.at(0);
    const Tensor negative = 1 - is_positive(t - 1e-4);
    const Tensor focus = pow(sigmoid(x), gamma) * negative * alpha + t;
    const Tensor bounded = clamp(x, -10, 10);
    Tensor losses = (softplus(bounded) - bounded * t) * focus;
    const Tensor weight = wanted_weight(in, use_target_weight, "VariFocalLoss");
    if (weight.defined()) losses = losses * weight_of_rank(weight, losses.rank());
    const Tensor zero = Tensor::zeros(losses.shape(), losses.dtype());
    const Tensor finite = equal(losses - losses, zero);
    return {reduced(where(finite, losses, zero), reduction) * loss_weight};
  }
};

}  // namespace

std::unique_ptr<Loss> make_bce(const Config& config, const Scope&) {
  return std::make_unique<BCELoss>(config);
}

std::unique_ptr<Loss> make_varifocal(const Config& config, const Scope&) {
  return std::make_unique<VariFocalLoss>(config);
}

}  // namespace limber
