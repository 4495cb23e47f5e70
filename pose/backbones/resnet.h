// ResNet (He et al. 2016, arXiv 1512.03385) and the variant V1d (He et al. 2019, arXiv 1812.01187:
// deep stem, average pooling in the shortcuts).
#pragma once

#include "nn/blocks/conv_module.h"
#include "pose/backbones/backbone.h"
#include "pose/backbones/residual.h"

namespace limber {

struct ResNetOptions {
  int depth = 50;
  int in_channels = 3;
  int64_t stem_channels = 64, base_channels = 64;
  int expansion = 0;  // 0: the block's own
  int num_stages = 4;
  std::vector<int> strides{1, 2, 2, 2}, dilations{1, 1, 1, 1}, out_indices{3};
  bool stride_first = false, deep_stem = false, avg_down = false, zero_init_residual = true;
  int frozen_stages = -1;
  bool norm_eval = false;
  NormOptions norm;
  std::vector<int> blocks;      // per stage; empty: those of the depth
  std::vector<int64_t> widths;  // out of each stage; empty: doubling from base_channels * expansion
  int stem_kernel = 7;
  bool stem_pool = true;
};
// Reads all keys that the whole family shares, the second all but the depth; absent ones keep the
// value in `defaults`.
ResNetOptions read_resnet(const Config& config);
ResNetOptions read_resnet_stages(const Config& config, ResNetOptions defaults);

class ResNet : public Backbone {
 public:
  // `block` null: the basic block up to depth 34, the bottleneck above. Another block is one like a
  // bottleneck, whose last norm is the third.
  ResNet(const Scope& s, const ResNetOptions& o, const BlockFactory& block = nullptr);
  Features operator()(const Tensor& x) const override;

 private:
  void freeze(const Scope& s, const ResNetOptions& o) const;
  Conv2d conv1_;
  Norm norm1_;
  std::vector<ConvModule> deep_stem_;
  std::vector<ResidualStage> stages_;
  std::vector<int> out_indices_;
  bool stem_pool_;
};

std::unique_ptr<Backbone> make_resnet(const Config& config, const Scope& scope);
std::unique_ptr<Backbone> make_resnet_v1d(const Config& config, const Scope& scope);

}  // namespace limber
