// Contextual instance decoupling: a map of the people's centres, and from the features at each
// centre heat maps of that person alone. Wang and Zhang 2022, "Contextual Instance Decoupling for
// Robust Multi-Person Pose Estimation".
#pragma once

#include "pose/heads/head.h"

namespace limber {

// Outputs: heat maps (M, K, H, W) of the M people found on all images. test_cfg: flip_test,
// blur_kernel_size, max_instances and score_threshold of the centres. train_cfg:
// max_train_instances.
std::unique_ptr<Head> make_cid_head(const Config& config, const Scope& scope);

}  // namespace limber
