// A .limber file on the pictures of this program.
#pragma once

#include "infer/session.h"
#include "pose/core/instances.h"

namespace limber::tool {

// Key points of boxes (N, 4) x1, y1, x2, y2 f32 on a picture (H, W, 3) u8, B, G, R: keypoints
// (N, K, 2) in its pixels and keypoint_scores (N, K).
Instances find_keypoints(Session& session, const Tensor& picture, const Tensor& boxes);

}  // namespace limber::tool
