// ShuffleNet: cheap grouped or split convolutions whose channels are shuffled in between; Zhang et
// al. 2018 (V1), arXiv 1707.01083, and Ma et al. 2018 (V2), arXiv 1807.11164.
#pragma once

#include "nn/blocks/conv_module.h"
#include "pose/backbones/backbone.h"

namespace limber {

// Half of the channels pass, half go through 1 x 1, depthwise 3 x 3, 1 x 1; figure 3 (c) and (d) of
// V2. The first unit of a stage halves the image and sends all channels both ways.
class SplitUnit {
 public:
  SplitUnit(const Scope& s, int64_t in, int64_t out, bool first, const NormOptions& norm,
            const ActOptions& act);
  Tensor operator()(const Tensor& x) const;

 private:
  std::vector<ConvModule> branch1_, branch2_;
};

std::unique_ptr<Backbone> make_shufflenet_v1(const Config& config, const Scope& scope);
std::unique_ptr<Backbone> make_shufflenet_v2(const Config& config, const Scope& scope);

}  // namespace limber
