// The focal loss of heatmaps of people: pixels near a peak count little against it; Law and Deng
// 2018 (CornerNet), arXiv 1808.01244, equation 1.
#pragma once

#include "pose/losses/loss.h"

namespace limber {

// FocalHeatmapLoss. output: probabilities, target: heatmaps whose peaks are exactly 1, both
// (N, K, H, W); weight and mask as in heatmap_mask(). Divided by the (weighted) number of peaks,
// where there are any.
std::unique_ptr<Loss> make_focal_heatmap(const Config& config, const Scope& scope);

}  // namespace limber
