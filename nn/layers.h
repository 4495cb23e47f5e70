// The elementary layers: structs that own tensors of a store and apply one operation. Images are
// (N, H, W, C).
#pragma once

#include <string>

#include "nn/init.h"
#include "nn/scope.h"
#include "tensor/ops.h"

namespace limber {

struct ConvOptions {
  int64_t in = 0, out = 0;
  std::array<int, 2> kernel{1, 1}, stride{1, 1}, padding{0, 0}, dilation{1, 1};
  int groups = 1;
  bool bias = true;
  // Square kernels, padding (kernel - 1) / 2 * dilation unless said otherwise.
  static ConvOptions square(int64_t in, int64_t out, int kernel, int stride = 1, int groups = 1,
                            bool bias = false);
};

struct Conv2d {
  Tensor weight, bias;
  ConvGeometry geometry;
  Conv2d() = default;
  Conv2d(const Scope& s, const ConvOptions& o);
  Tensor operator()(const Tensor& x) const { return conv2d(x, weight, bias, geometry); }
};

// One-dimensional: x: (N, 1, L, C); checkpoints hold the weight as (O, I, k). Uses the second of
// each pair of options.
struct Conv1d {
  Tensor weight, bias;
  ConvGeometry geometry;
  Conv1d() = default;
  Conv1d(const Scope& s, const ConvOptions& o);
  Tensor operator()(const Tensor& x) const { return conv2d(x, weight, bias, geometry); }
};

struct ConvTranspose2d {
  Tensor weight, bias;
  ConvGeometry geometry;
  std::array<int, 2> output_padding{0, 0};
  ConvTranspose2d() = default;
  ConvTranspose2d(const Scope& s, const ConvOptions& o, std::array<int, 2> output_padding = {0, 0});
  Tensor operator()(const Tensor& x) const {
    return conv_transpose2d(x, weight, bias, geometry, output_padding);
  }
};

struct Linear {
  Tensor weight, bias;
  Linear() = default;
  Linear(const Scope& s, int64_t in, int64_t out, bool with_bias = true);
  Tensor operator()(const Tensor& x) const { return linear(x, weight, bias); }
};

struct BatchNorm {
  Tensor weight, bias, running_mean, running_var, num_batches_tracked;
  const bool* training = nullptr;
  double momentum = 0.1, eps = 1e-5;
  BatchNorm() = default;
  BatchNorm(const Scope& s, int64_t channels, double momentum = 0.1, double eps = 1e-5);
  Tensor operator()(const Tensor& x) const;
};

// Batch norm whose statistics, factors and offsets are all fixed: buffers that checkpoints hold.
struct FrozenBatchNorm {
  Tensor weight, bias, running_mean, running_var;
  double eps = 1e-5;
  FrozenBatchNorm() = default;
  FrozenBatchNorm(const Scope& s, int64_t channels, double eps = 1e-5);
  Tensor operator()(const Tensor& x) const {
    return batch_norm(x, weight, bias, running_mean, running_var, /*training=*/false, 0, eps);
  }
};

struct LayerNorm {
  Tensor weight, bias;
  double eps = 1e-5;
  LayerNorm() = default;
  LayerNorm(const Scope& s, int64_t channels, double eps = 1e-5);
  // Checkpoints hold the weight with these extents (for example (C, 1, 1)).
  LayerNorm(const Scope& s, const Shape& stored, double eps = 1e-5);
  Tensor operator()(const Tensor& x) const { return layer_norm(x, weight, bias, eps); }
};

struct GroupNorm {
  Tensor weight, bias;
  int groups = 1;
  double eps = 1e-5;
  GroupNorm() = default;
  GroupNorm(const Scope& s, int groups, int64_t channels, double eps = 1e-5);
  Tensor operator()(const Tensor& x) const { return group_norm(x, weight, bias, groups, eps); }
};

// Learned factor of x / |x|; one number.
struct ScaleNorm {
  Tensor g;
  double eps = 1e-5;
  ScaleNorm() = default;
  explicit ScaleNorm(const Scope& s, double eps = 1e-5);
  Tensor operator()(const Tensor& x) const { return scale_norm(x, g, eps); }
};

struct Dropout {
  double p = 0;
  const bool* training = nullptr;
  Dropout() = default;
  Dropout(const Scope& s, double p);
  Tensor operator()(const Tensor& x) const;
};

// Stochastic depth (Huang et al. 2016, arXiv 1603.09382): drops whole samples.
struct DropPath {
  double p = 0;
  const bool* training = nullptr;
  DropPath() = default;
  DropPath(const Scope& s, double p);
  Tensor operator()(const Tensor& x) const;
};

}  // namespace limber
