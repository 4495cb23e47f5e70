// Convolution, normalisation, activation: the block most models are made of. Parameter names are
// conv.weight, bn.weight, ...; the convolution has a bias only where no norm follows.
#pragma once

#include <utility>

#include "nn/norm_act.h"

namespace limber {

struct ConvModule {
  Conv2d conv;
  Norm norm;
  ActOptions act{ActType::none};

  ConvModule() = default;
  // `o.bias` is ignored where there is a norm.
  ConvModule(const Scope& s, ConvOptions o, const NormOptions& n, const ActOptions& a);
  Tensor operator()(const Tensor& x) const { return activate(act, norm(conv(x))); }
};

// Depthwise k x k, then pointwise 1 x 1, each with norm and activation; Howard et al. 2017, arXiv
// 1704.04861. Children: depthwise_conv, pointwise_conv.
struct DepthwiseSeparableConv {
  ConvModule depthwise, pointwise;

  DepthwiseSeparableConv() = default;
  DepthwiseSeparableConv(const Scope& s, const ConvOptions& o, const NormOptions& depthwise_norm,
                         const ActOptions& depthwise_act, const NormOptions& pointwise_norm,
                         const ActOptions& pointwise_act);
  DepthwiseSeparableConv(const Scope& s, const ConvOptions& o, const NormOptions& n,
                         const ActOptions& a)
      : DepthwiseSeparableConv(s, o, n, a, n, a) {}
  Tensor operator()(const Tensor& x) const { return pointwise(depthwise(x)); }
};

// Weights of all 2-d convolutions below `s`; their biases become 0.
void initialise_convolutions(const Scope& s, const Init& weight);

}  // namespace limber
