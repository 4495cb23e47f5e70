#include "pose/losses/focal_heatmap.h"

#include "pose/losses/mse.h"
#include "tensor/op.h"
#include "tensor/ops.h"

namespace limber {
namespace {

struct FocalHeatmapLoss : Loss {
  double alpha, beta, loss_weight;
  bool skip_empty_channel;

  // Weights that are given count whatever use_target_weight says, as in the reference.
  explicit FocalHeatmapLoss(const Config& c)
      : alpha(c.get("alpha", 2.0)),
        beta(c.get("beta", 4.0)),
        loss_weight(c.get("loss_weight", 1.0)),
        skip_empty_channel(c.get("skip_empty_channel", false)) {
    c.find("use_target_weight");
  }

  std::vector<Tensor> operator()(const LossInput& in) const override {
    const Tensor &p = in.outputs.at(0), &target = in.targets.at(0);
    // How much each pixel counts as a peak and as background.
    Tensor peaks, rest;
    {
      const NoRecord no_record;
      peaks = equal(target, Tensor::full({}, 1, target.dtype()));
      rest = pow(1 - target, beta) * greater(Tensor::full({}, 1, target.dtype()), target);
      const Tensor mask = heatmap_mask(target, in.weight, in.mask, skip_empty_channel);
      if (mask.defined()) {
        peaks = peaks * mask;
        rest = rest * mask;
      }
    }
    const Tensor background = sum(log(1 - p) * pow(p, alpha) * rest);
    const double count = sum(peaks).item();
    if (count == 0) return {background * -loss_weight};
    const Tensor foreground = sum(log(p) * pow(1 - p, alpha) * peaks);
    return {(foreground + background) * (-loss_weight / count)};
  }
};

}  // namespace

std::unique_ptr<Loss> make_focal_heatmap(const Config& config, const Scope&) {
  return std::make_unique<FocalHeatmapLoss>(config);
}

}  // namespace limber
