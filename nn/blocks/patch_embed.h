// How images become maps of tokens, and maps of tokens coarser ones. Maps stay (N, H, W, C): the
// sequence (N, H W, C) of the papers is a view.
#pragma once

#include "nn/norm_act.h"

namespace limber {

// A convolution over patches and an optional norm; Dosovitskiy et al. 2020, arXiv 2010.11929.
// Parameters: projection, norm.
class PatchEmbed {
 public:
  PatchEmbed() = default;
  // With `adaptive` the input is first padded with zeros at the bottom and right, as far as a
  // kernel would otherwise stand out over the edge (MMCV's "corner"), on top of o.padding.
  PatchEmbed(const Scope& s, const ConvOptions& o, bool adaptive, const NormOptions& norm);
  Tensor operator()(const Tensor& image) const;

 private:
  Conv2d projection_;
  Norm norm_;
  bool adaptive_ = false;
};

// Gathers patches of 2 x 2 pixels into one token of another width: norm, then a linear layer;
// Liu et al. 2021 (Swin Transformer), arXiv 2103.14030. Patches may overlap (stride 1). Parameters:
// norm, reduction.
class PatchMerging {
 public:
  PatchMerging(const Scope& s, int64_t in, int64_t out, int stride, const NormOptions& norm);
  // (N, H, W, in) -> (N, ceil(H / stride), ceil(W / stride), out)
  Tensor operator()(const Tensor& map) const;

 private:
  int64_t stride_;
  Tensor norm_weight_, norm_bias_, reduction_;  // the norm's: undefined where there is none
  double eps_;
};

}  // namespace limber
