// What the codecs of 3D lifting share: roots of poses, removing and inserting the root joint.
#pragma once

#include <vector>

#include "pose/codecs/codec_support.h"

namespace limber {

// "root_index": one joint or two whose middle is the root. Throws where remove_root has two.
std::vector<int64_t> read_root_index(const Config& config, bool remove_root);

// pose (..., K, C) -> the root of each, (..., C).
Tensor root_of(const Tensor& pose, const std::vector<int64_t>& root_index, const char* codec);

// pose (..., K, C) plus sign times root: (C), or (..., C), or (..., 1, C).
Tensor shifted(const Tensor& pose, const Tensor& root, float sign, const char* codec);

// x (..., K, C) without joint `index` of dimension -2, or with `root` (as for shifted) put before
// it.
Tensor without_joint(const Tensor& x, int64_t index);
Tensor with_joint(const Tensor& x, int64_t index, const Tensor& root, const char* codec);

// keypoints (T, K, C) with the visibility (T, K) as one more coordinate.
Tensor with_visibility(const Tensor& keypoints, const Tensor& visible);
// (T, K, C) -> (K C, T): a convolution over time reads this.
Tensor time_last(const Tensor& keypoints);

// 1 where the visibility is above 0.5, else 0.
Tensor visible_weights(const Tensor& visible);

// The sample's lifting_target (T, K, 3) and lifting_target_visible (T, K), all 1 where absent;
// (K, 3) counts as T = 1. Undefined where the sample has no target.
struct LiftingTarget {
  Tensor pose, weights;
};
LiftingTarget read_lifting_target(const EncodeInput& input, const char* codec);

// pose (N, K or K - 1, 3), target_root undefined or as for shifted: root-relative poses made
// absolute, the root put back where it was removed. scores are 1.
Decoded decode_lifted(const Tensor& pose, const Tensor& target_root, bool remove_root,
                      const std::vector<int64_t>& root_index, const char* codec);

}  // namespace limber
