// Disentangled key-point regression: a map of the people's centres, and vectors from there to each
// key point, regressed by a branch of its own whose convolutions look where it points. Geng et al.
// 2021, arXiv 2104.02300.
#pragma once

#include "pose/heads/head.h"

namespace limber {

// Outputs: heat maps (N, K + 1, H, W), the centres' last, and displacements (N, 2 K, H, W), x and y
// of each key point in pixels of the map. test_cfg: flip_test, shift_heatmap, nms_dist_thr (share
// of a pose's diagonal), nms_joints_thr, max_dets. rescore_cfg adds a network that scores whole
// poses; it works where the samples know their skeleton (PackPoseInputs.meta_keys).
std::unique_ptr<Head> make_dekr_head(const Config& config, const Scope& scope);

}  // namespace limber
