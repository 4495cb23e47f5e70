// Mean squared errors of heatmaps.
#pragma once

#include "pose/losses/loss.h"

namespace limber {

// The mask of a heatmap loss: target weights (N, K) or (N, K, H, W) times a mask (N, 1 or K, H, W),
// whichever are defined, with four dimensions; undefined where neither is. With
// skip_empty_channels, maps without a target count 0.
Tensor heatmap_mask(const Tensor& target, const Tensor& weight, const Tensor& mask,
                    bool skip_empty_channels);

// mean((output - target)^2 mask).
std::unique_ptr<Loss> make_keypoint_mse(const Config& config, const Scope& scope);

// KeypointOHKMMSELoss. Per sample the mean of the `topk` largest errors of a key point (online hard
// key point mining; Chen et al. 2018, arXiv 1711.07319). output, target: (N, K, H, W).
std::unique_ptr<Loss> make_keypoint_ohkm_mse(const Config& config, const Scope& scope);

// CombinedTargetMSELoss. output, target: (N, 3 K, H, W), (map, x offset, y offset) per key point;
// weight: (N, K). Offsets count where the target map is.
std::unique_ptr<Loss> make_combined_target_mse(const Config& config, const Scope& scope);

}  // namespace limber
