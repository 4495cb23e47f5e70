// Normalisations and activations that are chosen by name.
#pragma once

#include <string_view>
#include <variant>

#include "nn/layers.h"

namespace limber {

enum class NormType : uint8_t { none, batch, frozen_batch, layer, group };

struct NormOptions {
  NormType type = NormType::batch;
  double momentum = 0.1, eps = 1e-5;
  int groups = 32;  // of group norm
  bool trainable = true;
};

// The name checkpoints give a norm beside its convolution: "bn", "ln", "gn".
std::string_view norm_leaf(NormType type);

class Norm {
 public:
  Norm() = default;  // identity
  Norm(const Scope& s, int64_t channels, const NormOptions& o);
  Tensor operator()(const Tensor& x) const;

 private:
  std::variant<std::monostate, BatchNorm, FrozenBatchNorm, LayerNorm, GroupNorm> norm_;
};

enum class ActType : uint8_t {
  none,
  relu,
  relu6,
  leaky_relu,
  silu,
  gelu,
  sigmoid,
  tanh,
  hard_swish,
  hard_sigmoid,
};

struct ActOptions {
  ActType type = ActType::relu;
  double a = 0, b = 0;  // leaky_relu: slope; hard_sigmoid: bias and divisor
};

Tensor activate(const ActOptions& o, const Tensor& x);

}  // namespace limber
