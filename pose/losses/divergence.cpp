#include "pose/losses/divergence.h"

#include "pose/losses/loss_support.h"
#include "tensor/op.h"
#include "tensor/ops.h"

namespace limber {
namespace {

constexpr double kSmallest = 1e-37;

// x log x, 0 at 0, with a gradient that is finite there.
Tensor entropy_terms(const Tensor& x) { return x * log(clamp(x, kSmallest, 1e37)); }

struct KLDiscretLoss : Loss {
  const bool weights_by_axis;
  double beta, label_beta, mask_weight;
  bool label_softmax, use_target_weight;
  std::vector<int> mask;

  KLDiscretLoss(const Config& c, bool by_axis)
      : weights_by_axis(by_axis),
        beta(c.get("beta", 1.0)),
        label_beta(c.get("label_beta", 10.0)),
        mask_weight(c.get("mask_weight", 1.0)),
        label_softmax(c.get("label_softmax", false)),
        use_target_weight(c.get("use_target_weight", true)) {
    if (c.has("mask")) mask = c.get<std::vector<int>>("mask");
  }

  std::vector<Tensor> operator()(const LossInput& in) const override {
    check(!in.outputs.empty() && in.outputs.size() == in.targets.size(),
          "KLDiscretLoss: ", in.outputs.size(), " outputs, ", in.targets.size(), " targets");
    const int64_t K = in.outputs[0].size(1);
    // MMPose's loss of weights by axis takes them whatever use_target_weight says.
    const Tensor weight = wanted_weight(in, use_target_weight || weights_by_axis, "KLDiscretLoss");
    if (weights_by_axis)
      check(weight.rank() == 3 && weight.size(0) == int64_t(in.outputs.size()),
            "KLDiscretLossWithWeight: weights ", weight.shape(), " of ", in.outputs.size(),
            " axes, (axes, N, K) is wanted");
    const Tensor factors = mask.empty() ? Tensor() : mask_factors(K).to(in.outputs[0].dtype());
    Tensor total;
    for (size_t axis = 0; axis < in.outputs.size(); ++axis) {
      Tensor rows = divergence(in.outputs[axis], in.targets[axis]);  // (N, K)
      if (weight.defined())
        rows = rows * (weights_by_axis ? weight_of_axis(weight, int64_t(axis)) : weight);
      if (factors.defined()) rows = rows * factors;
      const Tensor one = sum(rows);
      total = total.defined() ? total + one : one;
    }
    return {total / double(K)};
  }

  Tensor divergence(const Tensor& output, const Tensor& target) const {
    const Tensor log_p = log_softmax(output * beta);
    const Tensor t = label_softmax ? softmax(target * label_beta) : target;
    return mean(entropy_terms(t) - t * log_p, {-1});
  }

  // (axes, N, K) -> (N, K)
  static Tensor weight_of_axis(const Tensor& weight, int64_t axis) {
    return reshape(slice(weight, 0, axis, axis + 1), weight.shape().without(0));
  }

  // (1, K)
  Tensor mask_factors(int64_t K) const {
    std::vector<float> factors(size_t(K), 1);
    for (int k : mask) {
      check(k >= 0 && k < K, "KLDiscretLoss: mask names key point ", k, " of ", K);
      factors[size_t(k)] = float(mask_weight);
    }
    return Tensor::from(factors, {1, K});
  }
};

struct JSDiscretLoss : Loss {
  bool use_target_weight, size_average;

  explicit JSDiscretLoss(const Config& c)
      : use_target_weight(c.get("use_target_weight", true)),
        size_average(c.get("size_average", true)) {}

  std::vector<Tensor> operator()(const LossInput& in) const override {
    Tensor p = in.outputs.at(0), t = in.targets.at(0);
    const Tensor weight = wanted_weight(in, use_target_weight, "JSDiscretLoss");
    if (weight.defined()) {
      const Tensor spread = weight_of_rank(weight, p.rank());
      p = p * spread;
      t = t * spread;
    }
    const Tensor sum_pt = p + t, log_m = log(sum_pt * 0.5 + kEpsilon);
    const Tensor js = (entropy_terms(p) + entropy_terms(t) - sum_pt * log_m) * 0.5;
    const Tensor total = sum(js);
    return {size_average ? total / double(t.size(0)) : total};
  }

  static constexpr double kEpsilon = 1e-24;
};

struct MLECCLoss : Loss {
  SimilarityMode mode;
  bool use_target_weight;
  double loss_weight;
  Reduction reduction;

  explicit MLECCLoss(const Config& c)
      : mode(read_similarity_mode(c, "log")),
        use_target_weight(c.get("use_target_weight", false)),
        loss_weight(c.get("loss_weight", 1.0)),
        reduction(read_reduction(c)) {}

  std::vector<Tensor> operator()(const LossInput& in) const override {
    check(!in.outputs.empty() && in.outputs.size() == in.targets.size(),
          "MLECCLoss: ", in.outputs.size(), " outputs, ", in.targets.size(), " targets");
    Tensor likelihood;
    for (size_t axis = 0; axis < in.outputs.size(); ++axis) {
      const Tensor one = sum(in.outputs[axis] * in.targets[axis], {-1});
      likelihood = likelihood.defined() ? likelihood * one : one;
    }
    if (mode == SimilarityMode::log) likelihood = likelihood + 1e-4;
    Tensor losses = similarity_loss(mode, likelihood);
    const Tensor zero = Tensor::zeros(losses.shape(), losses.dtype());
    losses = where(equal(losses - losses, zero), losses, zero);
    const Tensor weight = wanted_weight(in, use_target_weight, "MLECCLoss");
    if (weight.defined()) losses = losses * weight_of_rank(weight, losses.rank());
    if (reduction == Reduction::none) return {losses * loss_weight};
    const Tensor rows = reshape(losses, {losses.size(0), -1});
    return {(reduction == Reduction::sum ? sum(rows, {1}) : mean(rows, {1})) * loss_weight};
  }
};

}  // namespace

std::unique_ptr<Loss> make_mle_cc(const Config& config, const Scope&) {
  return std::make_unique<MLECCLoss>(config);
}

std::unique_ptr<Loss> make_kl_discret(const Config& config, const Scope&) {
  return std::make_unique<KLDiscretLoss>(config, /*by_axis=*/false);
}

std::unique_ptr<Loss> make_kl_discret_by_axis(const Config& config, const Scope&) {
  return std::make_unique<KLDiscretLoss>(config, /*by_axis=*/true);
}

std::unique_ptr<Loss> make_js_discret(const Config& config, const Scope&) {
  return std::make_unique<JSDiscretLoss>(config);
}

}  // namespace limber
