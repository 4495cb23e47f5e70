// The layers of the CID head.
#pragma once

#include <array>
#include <vector>

#include "nn/layers.h"

namespace limber {

// People of a batch: where their centres are on the maps, and on which image.
struct Centres {
  std::vector<std::array<int64_t, 2>> xy;
  std::vector<int64_t> image;
  int64_t size() const { return int64_t(xy.size()); }
};

// (M, C): the features (N, H, W, C) at the centres.
Tensor features_at(const Tensor& features, const Centres& centres);

// Sigmoid kept within [1e-4, 1 - 1e-4], so that its logarithms stay finite.
Tensor bounded_sigmoid(const Tensor& x);

// Global feature decoupling (section 3.3): what of the image belongs to one person, by the channels
// that its features favour and by the places that resemble them and are near. Parameters:
// conv_down, channel_attention.atn, spatial_attention.{atn, conv}, fuse_attention, heatmap_conv.
class FeatureDecoupling {
 public:
  FeatureDecoupling(const Scope& s, int64_t in, int64_t width, int64_t keypoints);
  // features: (N, H, W, C), people: (M, C), the features at their centres -> (M, K, H, W).
  Tensor operator()(const Tensor& features, const Tensor& people, const Centres& centres) const;

 private:
  Tensor spatial_mask(const Tensor& image, const Tensor& people, const Centres& centres) const;

  Conv2d down_;
  Linear channel_, spatial_;
  Conv2d spatial_conv_, fuse_, heat_;
};

}  // namespace limber
