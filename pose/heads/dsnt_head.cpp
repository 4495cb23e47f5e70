#include "pose/heads/dsnt_head.h"

#include "pose/heads/integral_head.h"
#include "pose/heads/regression_head.h"
#include "tensor/ops.h"

namespace limber {
namespace {

std::unique_ptr<Loss> read_losses(const Config& c, const Scope& s) {
  if (c.has("loss")) return read_loss(c, s, "MultipleLossWrapper");
  const Config both = Config::parse(
      R"({"type": "MultipleLossWrapper", "losses": [
          {"type": "SmoothL1Loss", "use_target_weight": true},
          {"type": "JSDiscretLoss", "use_target_weight": true}]})");
  return make_loss(both, s / "loss_module");
}

class DSNTHead : public IntegralRegressionHead {
 public:
  DSNTHead(const Config& c, const Scope& s)
      : IntegralRegressionHead(c, s, read_losses(c, s)), lambda_t_(c.get("lambda_t", -1)) {}

  Losses loss(const Features& features, ConstBatch samples) const override {
    const Estimate e = estimate(features);
    const Tensor target = batch_labels(samples, "keypoint_labels");
    const Tensor weight = batch_labels(samples, "keypoint_weights");
    const std::vector<Tensor> parts =
        (*loss_)({.outputs = {e.coords, e.maps},
                  .targets = {target, batch_fields(samples, "heatmaps")},
                  .weight = weight,
                  .mask = {}});
    check(parts.size() == 2, "DSNTHead: its loss must give two values, not ", parts.size());
    const bool coords_alone = lambda_t_ > 0 && train.epoch >= lambda_t_;
    return {{"loss_kpt", coords_alone ? parts[0] : parts[0] + parts[1]},
            {"acc_pose", coordinate_accuracy(e.coords, target, weight)}};
  }

 private:
  int lambda_t_;
};

}  // namespace

std::unique_ptr<Head> make_dsnt_head(const Config& config, const Scope& scope) {
  return std::make_unique<DSNTHead>(config, scope);
}

}  // namespace limber
