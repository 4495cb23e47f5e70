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
    const auto [output, target] = weighted_pair(in, use_target_weight, "SmoothL1Loss");
    return {mean(smooth_l1(output, target)) * loss_weight};
  }
};

struct SoftWeightSmoothL1Loss : Loss {
  bool use_target_weight, supervise_empty;
  double beta, loss_weight;

  explicit SoftWeightSmoothL1Loss(const Config& c)
      : use_target_weight(c.get("use_target_weight", false)),
        supervise_empty(c.get("supervise_empty", true)),
        beta(c.get("beta", 1.0)),
        loss_weight(c.get("loss_weight", 1.0)) {}

  std::vector<Tensor> operator()(const LossInput& in) const override {
    Tensor losses = smooth_l1(in.outputs.at(0), in.targets.at(0), beta);
    const Tensor weight = wanted_weight(in, use_target_weight, "SoftWeightSmoothL1Loss");
    if (!weight.defined()) return {mean(losses) * loss_weight};
    losses = losses * weight_of_rank(weight, losses.rank());
    if (supervise_empty) return {mean(losses) * loss_weight};
    const Tensor count = clamp(sum(is_positive(weight)), 1, 1e37);
    return {sum(losses) / count * loss_weight};
  }
};

struct L1Loss : Loss {
  bool use_target_weight;
  double loss_weight;
  Reduction reduction;

  explicit L1Loss(const Config& c)
      : use_target_weight(c.get("use_target_weight", false)),
        loss_weight(c.get("loss_weight", 1.0)),
        reduction(read_reduction(c)) {}

  std::vector<Tensor> operator()(const LossInput& in) const override {
    const auto [output, target] = weighted_pair(in, use_target_weight, "L1Loss");
    return {reduced(abs(output - target), reduction) * loss_weight};
  }
};

struct MSELoss : Loss {
  bool use_target_weight;
  double loss_weight;

  explicit MSELoss(const Config& c)
      : use_target_weight(c.get("use_target_weight", false)),
        loss_weight(c.get("loss_weight", 1.0)) {}

  std::vector<Tensor> operator()(const LossInput& in) const override {
    const auto [output, target] = weighted_pair(in, use_target_weight, "MSELoss");
    return {mean(square(output - target)) * loss_weight};
  }
};

struct MPJPELoss : Loss {
  bool use_target_weight;
  double loss_weight;

  explicit MPJPELoss(const Config& c)
      : use_target_weight(c.get("use_target_weight", false)),
        loss_weight(c.get("loss_weight", 1.0)) {}

  std::vector<Tensor> operator()(const LossInput& in) const override {
    const auto [output, target] = weighted_pair(in, use_target_weight, "MPJPELoss");
    return {mean(norm(output - target, -1)) * loss_weight};
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

std::unique_ptr<Loss> make_soft_weight_smooth_l1(const Config& config, const Scope&) {
  return std::make_unique<SoftWeightSmoothL1Loss>(config);
}

std::unique_ptr<Loss> make_l1(const Config& config, const Scope&) {
  return std::make_unique<L1Loss>(config);
}

std::unique_ptr<Loss> make_mse(const Config& config, const Scope&) {
  return std::make_unique<MSELoss>(config);
}

std::unique_ptr<Loss> make_mpjpe(const Config& config, const Scope&) {
  return std::make_unique<MPJPELoss>(config);
}

}  // namespace limber
