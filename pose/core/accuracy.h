// The accuracies that heads log while training: the share of key points found within a distance of
// `threshold` times the map's size.
//
// weight: (N, K), points with 0 do not count. The plain numbers are means over key points of the
// share that is nearer than the threshold; 0 where no point counts.
#pragma once

#include "pose/core/keypoint_metrics.h"
#include "tensor/tensor.h"

namespace limber {

// Maxima of maps. output, target: (N, K, H, W). Distances are divided by `factors` (N, 2); by
// (H, W) in x, y (sic) where undefined.
PointAccuracy heatmap_pck(const Tensor& output, const Tensor& target, const Tensor& weight,
                          double threshold, const Tensor& factors = {});
double pose_pck_accuracy(const Tensor& output, const Tensor& target, const Tensor& weight,
                         double threshold = 0.05);

// The same for one vector per axis: x: (N, K, Wx), y: (N, K, Wy), in units of 1 / split_ratio
// pixels.
struct SimccVectors {
  Tensor x, y;
};
PointAccuracy simcc_pck(const SimccVectors& output, const SimccVectors& target, double split_ratio,
                        const Tensor& weight, double threshold, const Tensor& factors = {});
double simcc_pck_accuracy(const Tensor& x, const Tensor& y, const Tensor& target_x,
                          const Tensor& target_y, double split_ratio, const Tensor& weight,
                          double threshold = 0.05);

// The same for coordinates. output, target: (N, K, 2), normalised to [0, 1].
double coordinate_pck_accuracy(const Tensor& output, const Tensor& target, const Tensor& weight,
                               double threshold = 0.05);

}  // namespace limber
