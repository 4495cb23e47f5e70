// Undoing the horizontal flip of test-time augmentation.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "tensor/tensor.h"

namespace limber {

// maps: (N, K, H, W) of flipped images. Mirrors the columns back and swaps left and right key
// points; `shift` moves the result one column to the right, the mis-alignment of strided networks.
// mode "heatmap": K channels are key points; "udp_combined": groups of (map, x offset, y offset),
// x offsets change their sign; "offset": groups of (x, y) offsets likewise.
Tensor flip_heatmaps(const Tensor& maps, const std::vector<int>& flip_indices,
                     const std::string& mode, bool shift);

// x_logits: (N, K, bins) along x, mirrored and swapped; y_logits: swapped only.
std::pair<Tensor, Tensor> flip_vectors(const Tensor& x_logits, const Tensor& y_logits,
                                       const std::vector<int>& flip_indices);

// coords: (N, K, D) normalised to [0, 1]: x becomes 1 - x (minus 1 / width with `shift`), key
// points are swapped.
Tensor flip_coordinates(const Tensor& coords, const std::vector<int>& flip_indices, bool shift,
                        int input_width);

// t: (N, K, ...): key points in the order `flip_indices` gives, what was left is right.
Tensor flip_keypoints(const Tensor& t, const std::vector<int>& flip_indices);

}  // namespace limber
