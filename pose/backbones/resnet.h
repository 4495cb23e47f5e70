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
};
// Reads all keys that the whole family shares.
ResNetOptions read_resnet(const Config& config);

class ResNet : public Backbone {
 public:
  // `block` null: the basic block up to depth 34, the bottleneck above.
  ResNet(const Scope& s, const ResNetOptions& o, const BlockFactory& block = nullptr);
  Features operator()(const Tensor& x) const override;

 private:
  void freeze(const Scope& s, const ResNetOptions& o) const;
  Conv2d conv1_;
  Norm norm1_;
  std::vector<ConvModule> deep_stem_;
  std::vector<ResidualStage> stages_;
  std::vector<int> out_indices_;
};

std::unique_ptr<Backbone> make_resnet(const Config& config, const Scope& scope);
std::unique_ptr<Backbone> make_resnet_v1d(const Config& config, const Scope& scope);

}  // namespace limber
