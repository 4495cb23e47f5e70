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

}  // namespace

std::unique_ptr<Loss> make_bce(const Config& config, const Scope&) {
  return std::make_unique<BCELoss>(config);
}

}  // namespace limber
