// RTMWHead: tokens from two levels of features, the coarse one also unfolded into the fine one;
// Jiang et al. 2024 (RTMW), arXiv 2407.08634.
#pragma once

#include "pose/heads/head.h"

namespace limber {

// Wants two maps: (N, 2 H, 2 W, C / 2), (N, H, W, C).
std::unique_ptr<Head> make_rtmw_head(const Config& config, const Scope& scope);

}  // namespace limber
