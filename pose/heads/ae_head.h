// Associative embedding: heat maps of all people's key points, and maps of tags whose nearness says
// which of them belong together. Newell, Huang and Deng 2017, arXiv 1611.05424.
#pragma once

#include "pose/heads/head.h"

namespace limber {

// Outputs: heat maps (N, K, H, W) and tags (N, L K, H, W), key points varying fastest; (N, L, H, W)
// without tag_per_keypoint. test_cfg: flip_test, multiscale_test, align_corners, and
// restore_heatmap_size, which enlarges both to the size of the input.
std::unique_ptr<Head> make_ae_head(const Config& config, const Scope& scope);

}  // namespace limber
