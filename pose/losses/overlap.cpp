#include "pose/losses/overlap.h"

#include "pose/core/metainfo.h"
#include "pose/losses/loss_support.h"
#include "tensor/ops.h"

namespace limber {
namespace {

constexpr double kLargest = 1e37;

struct IoULoss : Loss {
  SimilarityMode mode;
  double eps, loss_weight;
  Reduction reduction;

  explicit IoULoss(const Config& c)
      : mode(read_similarity_mode(c, "log")),
        eps(c.get("eps", 1e-16)),
        loss_weight(c.get("loss_weight", 1.0)),
        reduction(read_reduction(c)) {}

  std::vector<Tensor> operator()(const LossInput& in) const override {
    const Tensor iou = clamp(paired_iou(in.outputs.at(0), in.targets.at(0)), eps, kLargest);
    Tensor losses = similarity_loss(mode, iou);
    if (in.weight.defined()) losses = losses * in.weight;
    return {reduced(losses, reduction) * loss_weight};
  }
};

struct OKSLoss : Loss {
  SimilarityMode mode;
  double eps, loss_weight;
  bool norm_target_weight;
  Reduction reduction;
  Tensor sigmas;  // (K,) or undefined

  OKSLoss(const Config& c, const Scope& s)
      : mode(read_similarity_mode(c, "linear")),
        eps(c.get("eps", 1e-8)),
        loss_weight(c.get("loss_weight", 1.0)),
        norm_target_weight(c.get("norm_target_weight", false)),
        reduction(read_reduction(c)) {
    const std::vector<float> values = sigmas_of(c.find("metainfo"));
    if (values.empty()) return;
    sigmas = Tensor::from(values, {int64_t(values.size())}).to(s.store().dtype());
    s.constant("sigmas", sigmas);
  }

  std::vector<Tensor> operator()(const LossInput& in) const override {
    const Tensor &output = in.outputs.at(0), &target = in.targets.at(0);
    const int64_t K = output.size(-2);
    check(!sigmas.defined() || sigmas.numel() == K, "OKSLoss: ", K, " key points, ",
          sigmas.defined() ? sigmas.numel() : 0, " sigmas");
    Tensor areas;
    if (in.targets.size() > 1) areas = reshape(in.targets[1], {-1, 1});
    const Tensor s = sigmas.defined() ? sigmas.to(output.dtype()) : Tensor();
    const Tensor similarity = keypoint_similarity(output, target, weight_of(in, K), areas, s);
    return {reduced(similarity_loss(mode, similarity), reduction) * loss_weight};
  }

 private:
  Tensor weight_of(const LossInput& in, int64_t K) const {
    if (!in.weight.defined()) return {};
    if (!norm_target_weight) return in.weight / double(K);
    return in.weight / clamp(sum(in.weight, {-1}, /*keep_dims=*/true), eps, kLargest);
  }
};

}  // namespace

Tensor paired_iou(const Tensor& a, const Tensor& b) {
  check(a.rank() == 2 && a.size(1) == 4 && a.shape() == b.shape(), "paired_iou: boxes ", a.shape(),
        " and ", b.shape());
  const auto corner = [](const Tensor& boxes, int64_t which) {
    return slice(boxes, 1, 2 * which, 2 * which + 2);
  };
  const auto area = [](const Tensor& size) {
    return reshape(slice(size, 1, 0, 1) * slice(size, 1, 1, 2), {-1});
  };
  const Tensor first = maximum(corner(a, 0), corner(b, 0));
  const Tensor last = minimum(corner(a, 1), corner(b, 1));
  const Tensor both = area(clamp(last - first, 0, kLargest));
  const Tensor any = area(corner(a, 1) - corner(a, 0)) + area(corner(b, 1) - corner(b, 0)) - both;
  return both / clamp(any, 1e-6, kLargest);
}

Tensor keypoint_similarity(const Tensor& points, const Tensor& target, const Tensor& weight,
                           const Tensor& areas, const Tensor& sigmas) {
  Tensor d2 = sum(square(points - target), {-1});
  if (areas.defined()) d2 = d2 / clamp(areas, 1e-16, kLargest);
  if (sigmas.defined()) d2 = d2 / square(sigmas * 2);
  const Tensor each = exp(d2 * -0.5);
  return sum(weight.defined() ? each * weight : each, {-1});
}

std::unique_ptr<Loss> make_iou(const Config& config, const Scope&) {
  return std::make_unique<IoULoss>(config);
}

std::unique_ptr<Loss> make_oks(const Config& config, const Scope& scope) {
  return std::make_unique<OKSLoss>(config, scope);
}

}  // namespace limber
