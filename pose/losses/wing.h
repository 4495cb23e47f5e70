// Losses that grow logarithmically near 0: of landmarks (Wing), of their heatmaps (adaptive Wing).
#pragma once

#include "pose/losses/loss.h"

namespace limber {

// AdaptiveWingLoss. output, target: (N, K, H, W); weight: (N, K) or (N, K, H, W) multiplies both.
// The mean. Wang et al. 2019, arXiv 1904.07399, equation 4.
std::unique_ptr<Loss> make_adaptive_wing(const Config& config, const Scope& scope);

// WingLoss. output, target: (N, K, D); weight as above. The mean over N of sums. Feng et al. 2018,
// arXiv 1711.06753, equation 5.
std::unique_ptr<Loss> make_wing(const Config& config, const Scope& scope);

// SoftWingLoss. As WingLoss, but linear below omega1 and logarithmic above it. Lin et al. 2021,
// "Structure-Coherent Deep Feature Learning for Robust Face Alignment".
std::unique_ptr<Loss> make_soft_wing(const Config& config, const Scope& scope);

}  // namespace limber
