#include "pose/losses/wing.h"

#include <cmath>

#include "pose/losses/loss_support.h"
#include "tensor/ops.h"

namespace limber {
namespace {

// 1 where d < bound.
Tensor below(const Tensor& d, double bound) { return is_positive(bound - d); }

struct AdaptiveWingLoss : Loss {
  double alpha, omega, epsilon, theta, loss_weight;
  bool use_target_weight;

  explicit AdaptiveWingLoss(const Config& c)
      : alpha(c.get("alpha", 2.1)),
        omega(c.get("omega", 14.0)),
        epsilon(c.get("epsilon", 1.0)),
        theta(c.get("theta", 0.5)),
        loss_weight(c.get("loss_weight", 1.0)),
        use_target_weight(c.get("use_target_weight", false)) {}

  std::vector<Tensor> operator()(const LossInput& in) const override {
    const auto [output, target] = weighted_pair(in, use_target_weight, "AdaptiveWingLoss");
    const Tensor d = abs(target - output), power = alpha - target;
    // Slope and offset make both branches meet at theta.
    const Tensor edge = exp(power * std::log(theta / epsilon));
    const Tensor slope = power * edge / (edge + 1) * (omega / theta);
    const Tensor offset = slope * theta - log1p(edge) * omega;
    const Tensor losses =
        where(below(d, theta), log1p(pow(d / epsilon, power)) * omega, slope * d - offset);
    return {mean(losses) * loss_weight};
  }
};

struct WingLoss : Loss {
  double omega, epsilon, loss_weight;
  bool use_target_weight;

  explicit WingLoss(const Config& c)
      : omega(c.get("omega", 10.0)),
        epsilon(c.get("epsilon", 2.0)),
        loss_weight(c.get("loss_weight", 1.0)),
        use_target_weight(c.get("use_target_weight", false)) {}

  std::vector<Tensor> operator()(const LossInput& in) const override {
    const auto [output, target] = weighted_pair(in, use_target_weight, "WingLoss");
    const Tensor d = abs(target - output);
    const double offset = omega * (1 - std::log(1 + omega / epsilon));
    const Tensor losses = where(below(d, omega), log1p(d / epsilon) * omega, d - offset);
    return {sum(losses) * (loss_weight / double(output.size(0)))};
  }
};

struct SoftWingLoss : Loss {
  double omega1, omega2, epsilon, loss_weight;
  bool use_target_weight;

  explicit SoftWingLoss(const Config& c)
      : omega1(c.get("omega1", 2.0)),
        omega2(c.get("omega2", 20.0)),
        epsilon(c.get("epsilon", 0.5)),
        loss_weight(c.get("loss_weight", 1.0)),
        use_target_weight(c.get("use_target_weight", false)) {}

  std::vector<Tensor> operator()(const LossInput& in) const override {
    const auto [output, target] = weighted_pair(in, use_target_weight, "SoftWingLoss");
    const Tensor d = abs(target - output);
    const double offset = omega1 - omega2 * std::log(1 + omega1 / epsilon);
    const Tensor losses = where(below(d, omega1), d, log1p(d / epsilon) * omega2 + offset);
    return {sum(losses) * (loss_weight / double(output.size(0)))};
  }
};

}  // namespace

std::unique_ptr<Loss> make_adaptive_wing(const Config& config, const Scope&) {
  return std::make_unique<AdaptiveWingLoss>(config);
}

std::unique_ptr<Loss> make_wing(const Config& config, const Scope&) {
  return std::make_unique<WingLoss>(config);
}

std::unique_ptr<Loss> make_soft_wing(const Config& config, const Scope&) {
  return std::make_unique<SoftWingLoss>(config);
}

}  // namespace limber
