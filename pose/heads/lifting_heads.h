// Heads that turn features of 2-D sequences into 3-D poses.
#pragma once

#include "pose/heads/head.h"

namespace limber {

// TemporalRegressionHead: a 1x1 convolution over the frames that are left, of which there must be
// one; features (N, 1, 1, C) -> (N, K, 3). Pavllo et al. 2019, arXiv 1811.11742.
std::unique_ptr<Head> make_temporal_regression_head(const Config& config, const Scope& scope);

// TrajectoryRegressionHead: the same for the root's way through camera space, (N, 1, 3).
std::unique_ptr<Head> make_trajectory_regression_head(const Config& config, const Scope& scope);

// MotionRegressionHead: two linear layers for each joint of each frame, (N, T, K, C) ->
// (N, T, K, 3). Zhu et al. 2023, arXiv 2210.06551.
std::unique_ptr<Head> make_motion_regression_head(const Config& config, const Scope& scope);

// The input coordinates (..., K, 2 or more) of poses centred at x = 0, mirrored: -x, left and right
// joints swapped.
Tensor mirrored_poses(const Tensor& poses, const std::vector<int>& flip_indices);

}  // namespace limber
