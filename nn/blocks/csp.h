// Cross-stage partial layers: half of the channels pass through a chain of blocks, half do not;
// Wang et al. 2019, arXiv 1911.11929. Shared by CSPDarknet, CSPNeXt and the necks built on them.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "nn/blocks/conv_module.h"

namespace limber {

// CSPNeXt (Lyu et al. 2022, arXiv 2212.07784) uses 3x3 + depthwise 5x5 blocks, Darknet 1x1 + 3x3.
enum class CspBlock : uint8_t { darknet, cspnext };

struct CspOptions {
  int64_t in = 0, out = 0;
  int num_blocks = 1;
  double expand_ratio = 0.5;
  bool add_identity = true;
  bool use_depthwise = false;
  CspBlock block = CspBlock::darknet;
  bool channel_attention = false;
  NormOptions norm;
  ActOptions act;
};

// x * hard_sigmoid(fc(mean of x over the image)).
struct ChannelAttention {
  Conv2d fc;
  ChannelAttention(const Scope& s, int64_t channels)
      : fc(s / "fc", ConvOptions::square(channels, channels, 1, 1, 1, true)) {}
  Tensor operator()(const Tensor& x) const {
    return x * hard_sigmoid(fc(mean(x, {1, 2}, /*keep_dims=*/true)));
  }
};

// A convolution, depthwise separable where asked for.
class MaybeSeparable {
 public:
  MaybeSeparable(const Scope& s, const ConvOptions& o, bool separable, const NormOptions& n,
                 const ActOptions& a);
  Tensor operator()(const Tensor& x) const { return separable_ ? (*separable_)(x) : plain_(x); }

 private:
  ConvModule plain_;
  std::optional<DepthwiseSeparableConv> separable_;
};

class CspLayer {
 public:
  CspLayer(const Scope& s, const CspOptions& o);
  Tensor operator()(const Tensor& x) const;

 private:
  struct Block {
    MaybeSeparable conv1, conv2;
    bool identity;
  };
  ConvModule main_conv_, short_conv_, final_conv_;
  std::vector<Block> blocks_;
  std::optional<ChannelAttention> attention_;
};

// Spatial pyramid pooling: 1x1, max pools of several sizes beside the identity, 1x1; He et al.
// 2014, arXiv 1406.4729.
class SppBottleneck {
 public:
  SppBottleneck(const Scope& s, int64_t in, int64_t out, std::vector<int> kernels,
                const NormOptions& n, const ActOptions& a);
  Tensor operator()(const Tensor& x) const;

 private:
  ConvModule conv1_, conv2_;
  std::vector<int> kernels_;
};

}  // namespace limber
