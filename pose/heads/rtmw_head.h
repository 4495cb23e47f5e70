// RTMWHead: tokens from two levels of features, the coarse one also unfolded into the fine one;
// Jiang et al. 2024 (RTMW), arXiv 2407.08634. RTMW3DHead: the same with an axis of depth.
#pragma once

#include "pose/heads/head.h"

namespace limber {

// Both want two maps: (N, 2 H, 2 W, C / 2), (N, H, W, C).
std::unique_ptr<Head> make_rtmw_head(const Config& config, const Scope& scope);

// Outputs 0, 1, 2: logits along x, y and depth, (N, K, bins). Losses: loss_kld of a
// KLDiscretLossWithWeight, loss_bone of a BoneLoss, which moves no weight, as it sees the largest
// bins; mpjpe, the mean distance of the largest bins from those of the labels, in units of the
// input, for the log. Predicts what SimCC3DLabel decodes.
std::unique_ptr<Head> make_rtmw3d_head(const Config& config, const Scope& scope);

}  // namespace limber
