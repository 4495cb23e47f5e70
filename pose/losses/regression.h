// Distances of coordinates.
#pragma once

#include "pose/losses/loss.h"

namespace limber {

// Per element 0.5 d^2 / beta where |d| < beta, else |d| - 0.5 beta; Girshick 2015, arXiv
// 1504.08083.
Tensor smooth_l1(const Tensor& output, const Tensor& target, double beta = 1);

// SmoothL1Loss. output, target: (N, K, D); weight: (N, K) or (N, K, D) multiplies both. The mean.
std::unique_ptr<Loss> make_smooth_l1(const Config& config, const Scope& scope);

// SoftWeightSmoothL1Loss. Shapes as above; the weight multiplies the losses. The mean, or with
// supervise_empty false the sum divided by the number of positive weights.
std::unique_ptr<Loss> make_soft_weight_smooth_l1(const Config& config, const Scope& scope);

// L1Loss. Shapes and weight as in SmoothL1Loss.
std::unique_ptr<Loss> make_l1(const Config& config, const Scope& scope);

// MSELoss. Shapes and weight as in SmoothL1Loss. The mean.
std::unique_ptr<Loss> make_mse(const Config& config, const Scope& scope);

// MPJPELoss. The mean Euclidean distance of key points. Shapes and weight as in SmoothL1Loss.
std::unique_ptr<Loss> make_mpjpe(const Config& config, const Scope& scope);

}  // namespace limber
