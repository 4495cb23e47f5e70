// Squeeze and excitation: channels reweighed by what their means say; Hu et al. 2018, arXiv
// 1709.01507.
#pragma once

#include "nn/blocks/conv_module.h"

namespace limber {

// x * act(conv2(relu(conv1(mean of x over the image)))); names conv1.conv, conv2.conv.
struct SeLayer {
  ConvModule conv1, conv2;
  SeLayer(const Scope& s, int64_t channels, int ratio, const ActOptions& act = {ActType::sigmoid})
      : conv1(s / "conv1", {.in = channels, .out = channels / ratio}, {.type = NormType::none},
              {ActType::relu}),
        conv2(s / "conv2", {.in = channels / ratio, .out = channels}, {.type = NormType::none},
              act) {}
  Tensor operator()(const Tensor& x) const {
    return x * conv2(conv1(mean(x, {1, 2}, /*keep_dims=*/true)));
  }
};

}  // namespace limber
