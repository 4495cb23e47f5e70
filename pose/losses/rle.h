// Residual log-likelihood estimation: the error's density is learned by a normalising flow; Li et
// al. 2021, arXiv 2107.11291, with the flow of Dinh et al. 2017 (RealNVP), arXiv 1605.08803.
#pragma once

#include "nn/layers.h"
#include "pose/losses/loss.h"

namespace limber {

// Six affine coupling layers over the plane; the base is the standard normal distribution.
// Parameters: s.I.{0,2,4}, t.I.{0,2,4}, and the constants loc, cov, mask.
class RealNVP {
 public:
  explicit RealNVP(const Scope& s);
  Tensor log_probability(const Tensor& points) const;  // (M, 2) -> (M)

 private:
  static constexpr int kLayers = 6;
  struct Net {
    Linear first, second, third;
    Tensor operator()(const Tensor& x) const;
  };
  static Net make_net(const Scope& s);
  std::vector<Net> scale_, translate_;
};

// RLELoss. outputs: coordinates and raw deviations, (N, K, 2) each; targets: (N, K, 2); weight:
// (N, K) or (N, K, 2). The sum, divided by N with size_average. Parameters: flow_model.
std::unique_ptr<Loss> make_rle(const Config& config, const Scope& scope);

}  // namespace limber
