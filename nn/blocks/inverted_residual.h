// The block of MobileNetV3 (Howard et al. 2019, arXiv 1905.02244) and of the networks searched in
// its space: 1 x 1 up, a grouped k x k, squeeze and excitation, 1 x 1 down without activation, and
// a shortcut where shapes allow.
#pragma once

#include <optional>

#include "nn/blocks/se_layer.h"

namespace limber {

struct InvertedResidualOptions {
  int64_t in = 0, out = 0, middle = 0;
  int kernel = 3, stride = 1;
  int groups = 0;  // of the k x k; 0: depthwise
  bool expand = true;
  bool attention = false;  // squeeze and excitation, ratio 4, behind a hard sigmoid (x + 1) / 2
  NormOptions norm;
  ActOptions act;
};

// Children: expand_conv, depthwise_conv, se, linear_conv.
class InvertedResidual {
 public:
  InvertedResidual(const Scope& s, const InvertedResidualOptions& o);
  Tensor operator()(const Tensor& x) const;

 private:
  std::optional<ConvModule> expand_;
  ConvModule depthwise_;
  std::optional<SeLayer> se_;
  ConvModule linear_;
  bool shortcut_;
};

}  // namespace limber
