// YOLOXPoseHead: every grid point of three maps predicts a score, a box, the visibility of its key
// points and their offsets from it; YOLOX (Ge et al. 2021, arXiv 2107.08430) with the poses of
// YOLO-Pose (Maji et al. 2022, arXiv 2204.06806).
#pragma once

#include "pose/heads/head.h"

namespace limber {

std::unique_ptr<Head> make_yoloxpose_head(const Config& config, const Scope& scope);

}  // namespace limber
