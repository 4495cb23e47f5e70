// Distances between distributions: of one vector per axis (SimCC), of normalised heatmaps.
#pragma once

#include "pose/losses/loss.h"

namespace limber {

// KLDiscretLoss. outputs, targets: one (N, K, bins) per axis; weight: (N, K).
// Per row the mean over bins of KL(target || softmax(beta output)), times the weight, the rows of
// `mask`'s key points times mask_weight; the sum over axes and rows, divided by K.
std::unique_ptr<Loss> make_kl_discret(const Config& config, const Scope& scope);

// KLDiscretLossWithWeight, by its older name KLDiscretLoss2 (RTMPose3D). The same with weights of
// each axis: (axes, N, K).
std::unique_ptr<Loss> make_kl_discret_by_axis(const Config& config, const Scope& scope);

// JSDiscretLoss. output, target: (N, K, H, W), each map a distribution; weight: (N, K) multiplies
// the maps. The Jensen-Shannon divergence summed, divided by N with size_average. The gradient of
// a map whose weight is 0 is 0.
std::unique_ptr<Loss> make_js_discret(const Config& config, const Scope& scope);

// MLECCLoss. outputs: one distribution (N, K, bins) per axis, targets: likelihoods of their bins;
// weight: (N, K). With p the product over axes of sum(output target): 1 - p ("linear"), 1 - p^2
// ("square") or -log(p + 1e-4) ("log"); the mean or sum over key points, (N,), or "none", (N, K).
// Lu et al. 2024 (RTMO), arXiv 2312.07526, equation 3.
std::unique_ptr<Loss> make_mle_cc(const Config& config, const Scope& scope);

}  // namespace limber
