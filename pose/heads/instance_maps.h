// What bottom-up heads share. Two entries of SampleMeta::more concern them: "batch_shape", i64
// (2,), height and width of the batch with its padding, which the estimator sets, and
// "skeleton_links", i64 (L, 2), which PackPoseInputs.meta_keys asks for.
#pragma once

#include <array>

#include "pose/heads/head.h"
#include "pose/losses/loss.h"

namespace limber {

// (N, 1, H, W) of the samples' fields "heatmap_mask", (H, W) or (1, H, W), which are 0 where people
// stand whose key points nobody annotated; undefined where the samples have none.
Tensor batch_heatmap_mask(ConstBatch samples);

// {H, W} of what the maps cover: the batch with its padding; {0, 0} where no estimator said so.
std::array<int, 2> batch_shape(const SampleMeta& meta);
// The same, or else the size of the sample's input.
std::array<int, 2> covered_shape(const SampleMeta& meta);

// maps: (N, K, h, w) -> (N, K, H, W), bilinear. {0, 0}: as they are.
Tensor resized_maps(const Tensor& maps, std::array<int, 2> height_width, bool align_corners);

// The loss under `key` in a head's config, else the one that the fallback's JSON describes.
std::unique_ptr<Loss> named_loss(const Config& head, const Scope& s, const char* key,
                                 const char* fallback);

// The mean of maps (N, K, H, W) and of their averages over kernel x kernel windows, in which zeros
// beyond the border count. On the CPU, wherever the maps lie; without gradient.
Tensor smoothed_maps(const Tensor& maps, int kernel);

}  // namespace limber
