// Layers over volumes, (N, D, H, W, C), made of the two-dimensional operations: the taps along the
// depth become channels.
#pragma once

#include "nn/layers.h"

namespace limber {

// x: (N, D, H, W, C), weight: (O, kD, kH, kW, C), bias: (O,) or undefined; stride 1, `padding`
// zeros on every side -> (N, D + 2 p - kD + 1, H + 2 p - kH + 1, W + 2 p - kW + 1, O).
Tensor conv3d(const Tensor& x, const Tensor& weight, const Tensor& bias, int padding);
// weight: (C, k, k, k, O), stride k -> (N, k D, k H, k W, O).
Tensor conv_transpose3d(const Tensor& x, const Tensor& weight, const Tensor& bias);
// Windows of k x k x k side by side; what is left over at the ends is dropped.
Tensor max_pool3d(const Tensor& x, int k);

// Checkpoints hold the weight as (O, I, k, k, k).
struct Conv3d {
  Tensor weight, bias;
  int padding = 0;
  Conv3d() = default;
  Conv3d(const Scope& s, int64_t in, int64_t out, int kernel, int padding);
  Tensor operator()(const Tensor& x) const { return conv3d(x, weight, bias, padding); }
};

// Checkpoints hold the weight as (I, O, k, k, k).
struct ConvTranspose3d {
  Tensor weight, bias;
  ConvTranspose3d() = default;
  ConvTranspose3d(const Scope& s, int64_t in, int64_t out, int kernel);
  Tensor operator()(const Tensor& x) const { return conv_transpose3d(x, weight, bias); }
};

}  // namespace limber
