#include "nn/norm_act.h"

namespace limber {

std::string_view norm_leaf(NormType type) {
  switch (type) {
    case NormType::none:
      return "";
    case NormType::batch:
    case NormType::frozen_batch:
      return "bn";
    case NormType::layer:
      return "ln";
    case NormType::group:
      return "gn";
  }
  return "";
}

Norm::Norm(const Scope& s, int64_t channels, const NormOptions& o) {
  switch (o.type) {
    case NormType::none:
      return;
    case NormType::batch:
      norm_ = BatchNorm(s, channels, o.momentum, o.eps);
      break;
    case NormType::frozen_batch:
      norm_ = FrozenBatchNorm(s, channels, o.eps);
      break;
    case NormType::layer:
      norm_ = LayerNorm(s, channels, o.eps);
      break;
    case NormType::group:
      norm_ = GroupNorm(s, o.groups, channels, o.eps);
      break;
  }
  if (!o.trainable) s.store().freeze(s.path());
}

Tensor Norm::operator()(const Tensor& x) const {
  return std::visit(
      [&]<class N>(const N& norm) {
        if constexpr (std::is_same_v<N, std::monostate>) {
          return x;
        } else {
          return norm(x);
        }
      },
      norm_);
}

Tensor activate(const ActOptions& o, const Tensor& x) {
  switch (o.type) {
    case ActType::none:
      return x;
    case ActType::relu:
      return relu(x);
    case ActType::relu6:
      return relu6(x);
    case ActType::leaky_relu:
      return leaky_relu(x, o.a);
    case ActType::silu:
      return silu(x);
    case ActType::gelu:
      return gelu(x);
    case ActType::sigmoid:
      return sigmoid(x);
    case ActType::tanh:
      return tanh(x);
    case ActType::hard_swish:
      return hard_swish(x);
    case ActType::hard_sigmoid:
      return hard_sigmoid(x, o.a, o.b);
  }
  return x;
}

}  // namespace limber
