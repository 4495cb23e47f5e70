#include "nn/blocks/inverted_residual.h"

namespace limber {

InvertedResidual::InvertedResidual(const Scope& s, const InvertedResidualOptions& o)
    : shortcut_(o.stride == 1 && o.in == o.out) {
  check(o.expand || o.middle == o.in, s.path(), ": ", o.in, " channels cannot become ", o.middle,
        " without an expanding convolution");
  if (o.expand)
    expand_.emplace(s / "expand_conv", ConvOptions::square(o.in, o.middle, 1), o.norm, o.act);
  const int groups = o.groups > 0 ? o.groups : int(o.middle);
  depthwise_ = ConvModule(s / "depthwise_conv",
                          ConvOptions::square(o.middle, o.middle, o.kernel, o.stride, groups),
                          o.norm, o.act);
  if (o.attention) se_.emplace(s / "se", o.middle, 4, ActOptions{ActType::hard_sigmoid, 1, 2});
  linear_ = ConvModule(s / "linear_conv", ConvOptions::square(o.middle, o.out, 1), o.norm,
                       {ActType::none});
}

Tensor InvertedResidual::operator()(const Tensor& x) const {
  Tensor y = depthwise_(expand_ ? (*expand_)(x) : x);
  if (se_) y = (*se_)(y);
  y = linear_(y);
  return shortcut_ ? x + y : y;
}

}  // namespace limber
