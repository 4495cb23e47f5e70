// RegressionHead: coordinates of all key points by one linear layer on pooled features.
#pragma once

#include "pose/heads/head.h"

namespace limber {

// (N, C) as it is; (N, H, W, C) flattened in the order of checkpoints, (C, H, W).
Tensor flat_features(const Tensor& x);

// acc_pose as a scalar. coords, target: (N, K, 2), normalised.
Tensor coordinate_accuracy(const Tensor& coords, const Tensor& target, const Tensor& weight);

std::unique_ptr<Head> make_regression_head(const Config& config, const Scope& scope);

}  // namespace limber
