#include "nn/blocks/conv_module.h"

namespace limber {
namespace {

ConvOptions without_bias_before(ConvOptions o, const NormOptions& n) {
  if (n.type != NormType::none) o.bias = false;
  return o;
}

}  // namespace

ConvModule::ConvModule(const Scope& s, ConvOptions o, const NormOptions& n, const ActOptions& a)
    : conv(s / "conv", without_bias_before(o, n)), act(a) {
  if (n.type != NormType::none) norm = Norm(s / norm_leaf(n.type), o.out, n);
}

DepthwiseSeparableConv::DepthwiseSeparableConv(const Scope& s, const ConvOptions& o,
                                               const NormOptions& depthwise_norm,
                                               const ActOptions& depthwise_act,
                                               const NormOptions& pointwise_norm,
                                               const ActOptions& pointwise_act) {
  ConvOptions dw = o;
  dw.out = o.in;
  dw.groups = int(o.in);
  depthwise = ConvModule(s / "depthwise_conv", dw, depthwise_norm, depthwise_act);
  pointwise = ConvModule(s / "pointwise_conv", {.in = o.in, .out = o.out, .bias = o.bias},
                         pointwise_norm, pointwise_act);
}

void initialise_convolutions(const Scope& s, const Init& weight) {
  s.store().initialise_layers(s.path(), "Conv2d", "weight", weight);
  s.store().initialise_layers(s.path(), "Conv2d", "bias", init::constant(0));
}

}  // namespace limber
