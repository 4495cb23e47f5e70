// Losses of how well boxes or poses cover each other.
#pragma once

#include "pose/losses/loss.h"

namespace limber {

// Intersection over union of pairs of boxes. a, b: (N, 4) as x1, y1, x2, y2 -> (N,)
Tensor paired_iou(const Tensor& a, const Tensor& b);

// Object key-point similarity (Lin et al. 2014, arXiv 1405.0312). points, target: (..., K, 2);
// weight: broadcast to (..., K); areas: (..., 1), the squared scale of the distances, or undefined;
// sigmas: K, or empty for 1 / 2 -> (...), the sum over key points of
// weight exp(-d^2 / (2 (2 sigma)^2 area)).
Tensor keypoint_similarity(const Tensor& points, const Tensor& target, const Tensor& weight,
                           const Tensor& areas, const Tensor& sigmas);

// IoULoss. output, target: (N, 4); weight: (N,) multiplies the losses: 1 - IoU ("linear"),
// 1 - IoU^2 ("square") or -log IoU ("log"); Yu et al. 2016 (UnitBox), arXiv 1608.01471.
std::unique_ptr<Loss> make_iou(const Config& config, const Scope& scope);

// OKSLoss. output: (N, K, 2); targets: the points (N, K, 2) and, where there are some, the
// instances' areas (N,); weight: (N, K), divided by its sum per instance with norm_target_weight,
// else by K. Without weights the similarities are summed (sic), so the loss may be negative. Modes
// as above; Maji et al. 2022 (YOLO-Pose), arXiv 2204.06806.
std::unique_ptr<Loss> make_oks(const Config& config, const Scope& scope);

}  // namespace limber
