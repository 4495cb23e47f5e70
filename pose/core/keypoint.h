// Key points as f32 tensors: coordinates (N, K, C) with x before y, visibility (N, K), or (N, K, 2)
// where its second number is a weight.
#pragma once

#include <array>
#include <span>

#include "tensor/tensor.h"

namespace limber {

struct Keypoints {
  Tensor points;   // (N, K, C)
  Tensor visible;  // (N, K), (N, K, 2) or undefined
};

// Takes key point flip_indices[k] for k, and its visibility.
Keypoints swap_keypoints(const Keypoints& keypoints, std::span<const int> flip_indices);

// Mirrors at the middle of the pixel grid, x -> W - 1 - x. A mirror image swaps left and right; a
// half turn (both ways) does not. size: {W, H}.
Keypoints flip_keypoints(const Keypoints& keypoints, std::span<const int> flip_indices,
                         const std::array<int, 2>& size, bool horizontal, bool vertical);

// Mirrors x at `center_x` after swapping left and right.
Keypoints flip_keypoints_around(const Keypoints& keypoints, std::span<const int> flip_indices,
                                double center_x);
// Mirrors x at that of key point `root` of each instance.
Keypoints flip_keypoints_around_root(const Keypoints& keypoints, std::span<const int> flip_indices,
                                     int root);

// Points outside of [0, W] x [0, H] become invisible; coordinates stay. size: {W, H}.
Tensor visible_inside(const Keypoints& keypoints, const std::array<int, 2>& size);

}  // namespace limber
