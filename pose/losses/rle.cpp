#include "pose/losses/rle.h"

#include <cmath>
#include <numbers>

#include "nn/init.h"
#include "pose/losses/loss_support.h"
#include "tensor/ops.h"

namespace limber {

Tensor RealNVP::Net::operator()(const Tensor& x) const {
  return third(leaky_relu(second(leaky_relu(first(x)))));
}

RealNVP::Net RealNVP::make_net(const Scope& s) {
  constexpr int64_t kWidth = 64;
  return {Linear(s / 0, 2, kWidth), Linear(s / 2, kWidth, kWidth), Linear(s / 4, kWidth, 2)};
}

RealNVP::RealNVP(const Scope& s) {
  s.constant("loc", Tensor::zeros({2}));
  s.constant("cov", Tensor::from(std::vector<float>{1, 0, 0, 1}, {2, 2}));
  std::vector<float> masks;
  for (int i = 0; i < kLayers; ++i) {
    const float kept = i % 2 == 0 ? 0.0f : 1.0f;
    masks.insert(masks.end(), {kept, 1 - kept});
  }
  s.constant("mask", Tensor::from(masks, {kLayers, 2}));
  for (int i = 0; i < kLayers; ++i) {
    scale_.push_back(make_net(s / "s" / i));
    translate_.push_back(make_net(s / "t" / i));
  }
  s.store().initialise_layers(s.path(), "Linear", "weight",
                              init::xavier(0.01, init::Distribution::uniform));
}

Tensor RealNVP::log_probability(const Tensor& points) const {
  Tensor z = points, log_det;
  for (int i = kLayers - 1; i >= 0; --i) {
    // One coordinate passes, and decides how the other one is moved.
    const float kept = i % 2 == 0 ? 0.0f : 1.0f;
    const Tensor pass = Tensor::from(std::vector<float>{kept, 1 - kept}, {1, 2}).to(z.dtype());
    const Tensor move = 1 - pass;
    const Tensor passed = z * pass;
    const Tensor s = tanh(scale_[size_t(i)](passed)) * move;
    const Tensor t = translate_[size_t(i)](passed) * move;
    z = (z - t) * exp(-s) * move + passed;
    const Tensor change = sum(s, {1});
    log_det = log_det.defined() ? log_det - change : -change;
  }
  return sum(square(z), {1}) * -0.5 - std::log(2 * std::numbers::pi) + log_det;
}

namespace {

struct RLELoss : Loss {
  RealNVP flow;
  bool use_target_weight, size_average, residual, laplace;

  RLELoss(const Config& c, const Scope& s)
      : flow(s / "flow_model"),
        use_target_weight(c.get("use_target_weight", false)),
        size_average(c.get("size_average", true)),
        residual(c.get("residual", true)) {
    const auto q = c.get<std::string>("q_distribution", "laplace");
    check_input(q == "laplace" || q == "gaussian", c.path(),
                ".q_distribution: \"laplace\" or \"gaussian\", not \"", q, "\"");
    laplace = q == "laplace";
  }

  std::vector<Tensor> operator()(const LossInput& in) const override {
    check(in.outputs.size() == 2, "RLELoss: coordinates and deviations expected");
    const Tensor& target = in.targets.at(0);
    const int64_t N = target.size(0), K = target.size(1);
    const Tensor sigma = sigmoid(in.outputs[1]);
    const Tensor error = (in.outputs[0] - target) / (sigma + 1e-9);
    const Tensor log_phi = reshape(flow.log_probability(reshape(error, {-1, 2})), {N, K, 1});
    const Tensor log_sigma = log(sigma);
    Tensor losses = log_sigma - log_phi;
    if (residual) {
      const double factor = laplace ? 2 : std::sqrt(2 * std::numbers::pi);
      const Tensor distance = laplace ? abs(error) : square(error) * 0.5;
      losses = losses + log_sigma + std::log(factor) + distance;
    }
    const Tensor weight = wanted_weight(in, use_target_weight, "RLELoss");
    if (weight.defined()) losses = losses * weight_of_rank(weight, 3);
    const Tensor total = sum(losses);
    return {size_average ? total / double(N) : total};
  }
};

}  // namespace

std::unique_ptr<Loss> make_rle(const Config& config, const Scope& scope) {
  return std::make_unique<RLELoss>(config, scope);
}

}  // namespace limber
